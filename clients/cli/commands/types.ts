import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Api, Library, Lookup } from '../api.ts';
import { connect, type Context } from '../context.ts';
import { CliError, isSystemError } from '../failure.ts';
import { type Member, membersType, typeOfSchema } from '../schema-types.ts';

const HEADER = '// Written by "jellyfaas types"; run it again instead of editing.\n';

/** Types of functions for `@jellyfaas/sdk`. */
export function addTypesCommand(program: Command, context: Context): void {
  const types = program
    .command('types')
    .description('write TypeScript types of functions for @jellyfaas/sdk')
    .argument('[name...]', 'shortnames; all functions of the library unless given')
    .option('-o, --output <file>', 'a .d.ts or .ts file; replaced only if this command wrote it')
    .action(async (names: readonly string[], { output }: { output?: string }) => {
      const path = output === undefined ? undefined : resolve(context.cwd, output);
      if (path !== undefined) checkReplaceable(path);
      const text = await typesFile(connect(context, types), names);
      if (path === undefined) return context.terminal.out(text.trimEnd());
      writeFile(path, text);
      context.terminal.note(`Wrote ${path}.`);
    });
}

async function typesFile(api: Api, names: readonly string[]): Promise<string> {
  const all =
    names.length > 0
      ? [...new Set(names)]
      : (await api.get<Library>('/core-service/v1/library')).libraryItem.map(({ functionId }) => functionId);
  const members: Member[] = [];
  for (const name of all) {
    const { requirements } = await api.get<Lookup>(`/auth-service/v1/lookup?id=${encodeURIComponent(name)}`);
    members.push({
      name,
      isRequired: true,
      type: functionType(requirements),
      comment: requirements.description,
    });
  }
  const augmentation = `interface Functions ${membersType(members)}`.replaceAll('\n', '\n  ');
  const used = ['FileBody', 'QueryValue'].filter((name) => augmentation.includes(name)).join(', ');
  return `${HEADER}import type { ${used} } from '@jellyfaas/sdk';\n\ndeclare module '@jellyfaas/sdk' {\n  ${augmentation}\n}\n`;
}

type Requirements = Lookup['requirements'];

function functionType(requirements: Requirements): string {
  return membersType([
    { name: 'input', isRequired: true, type: inputType(requirements) },
    { name: 'output', isRequired: true, type: outputType(requirements) },
  ]);
}

function inputType({ queryParams, inputType: type, inputSchema }: Requirements): string {
  const members: Member[] = [];
  if (queryParams.length > 0) {
    const query = queryParams.map(({ name, required, description }) => ({
      name,
      isRequired: required,
      type: 'QueryValue | readonly QueryValue[]',
      comment: description,
    }));
    const isRequired = query.some((param) => param.isRequired);
    members.push({ name: 'query', isRequired, type: membersType(query) });
  }
  if (type === 'JSON') members.push({ name: 'json', isRequired: true, type: typeOfSchema(inputSchema) });
  if (type === 'FILE') {
    const { required, extensions } = (inputSchema ?? {}) as { required?: boolean; extensions?: string[] };
    const comment = extensions === undefined ? undefined : `Extensions: ${extensions.join(', ')}`;
    members.push({ name: 'file', isRequired: required !== false, type: 'FileBody', comment });
  }
  return membersType(members);
}

function outputType({ outputType: type, outputSchema }: Requirements): string {
  if (type === 'FILE') return 'Uint8Array<ArrayBuffer>';
  return type === 'JSON' ? typeOfSchema(outputSchema) : 'unknown';
}

function checkReplaceable(path: string): void {
  if (!existsSync(path)) return;
  const written = attempt(path, () => readFileSync(path, 'utf8'));
  if (!written.startsWith(HEADER)) {
    throw new CliError(`${path} was not written by this command. Choose another file, or delete it first.`);
  }
}

function writeFile(path: string, text: string): void {
  attempt(path, () => writeFileSync(path, text));
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOSPC')) throw error;
    throw new CliError(`The file ${path} cannot be written: ${error.code}.`);
  }
}
