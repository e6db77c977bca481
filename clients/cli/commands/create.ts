import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { print, withJson, type Context } from '../context.ts';
import { CliError, usageError } from '../failure.ts';
import { normaliseShortname, parseSpec } from '../function-folder.ts';

const TEMPLATES = fileURLToPath(new URL('../../../templates', import.meta.url));

/** The public command line's words for languages, and the runtimes themselves. */
const RUNTIMES: Readonly<Record<string, string>> = {
  go: 'go122',
  golang: 'go122',
  go122: 'go122',
  python: 'python312',
  python312: 'python312',
  nodejs: 'nodejs24',
  javascript: 'nodejs24',
  js: 'nodejs24',
  'node.js': 'nodejs24',
  node: 'nodejs24',
  nodejs20: 'nodejs20',
  nodejs22: 'nodejs22',
  nodejs24: 'nodejs24',
  java: 'java21',
  java21: 'java21',
};

interface CreateOptions {
  readonly name: string;
  readonly language: string;
  readonly destination: string;
  readonly always?: boolean;
}

export function addCreateCommand(program: Command, context: Context): void {
  const create = withJson(program.command('create'))
    .description('make a function from a template')
    .requiredOption('-n, --name <name>', 'its name; the shortname without spaces and underscores')
    .requiredOption('-l, --language <language>', 'node, python, go, java, or a runtime such as nodejs22')
    .option('-d, --destination <folder>', "where to make the function's folder", '.')
    .option('-a, --always', 'write into the folder even if it exists')
    .allowExcessArguments()
    .action((options: CreateOptions) => {
      const folder = createFunction(context.cwd, options);
      const shown = relative(context.cwd, folder.path) || '.';
      const lines = [
        `Made ${folder.shortname} (${folder.runtime}) in ${shown}.`,
        `Deploy it with: jellyfaas zip -s ${shown} -d`,
      ];
      print(context, create, { value: { ...folder, path: folder.path }, lines });
    });
}

/** Copies the template into `<destination>/<shortname>` and names it. */
export function createFunction(
  cwd: string,
  options: CreateOptions,
): { path: string; shortname: string; runtime: string } {
  const runtime = Object.hasOwn(RUNTIMES, options.language.toLowerCase())
    ? RUNTIMES[options.language.toLowerCase()]
    : undefined;
  if (runtime === undefined) {
    throw usageError(`There is no template for "${options.language}". Choose node, python, go or java.`);
  }
  const shortname = normaliseShortname(options.name);
  if (!/^(?!-)[a-z0-9-]{5,20}(?<!-)$/.test(shortname)) {
    throw usageError(
      'A name has 5 to 20 lower-case letters, digits and "-", and neither starts nor ends with "-".',
    );
  }
  const path = join(resolve(cwd, options.destination), shortname);
  if (existsSync(path) && options.always !== true) {
    throw new CliError(`${path} exists already. Choose another name, or add -a to write into it.`);
  }
  cpSync(join(TEMPLATES, runtime), path, { recursive: true });
  const specPath = join(path, 'jellyspec.json');
  const spec = {
    ...parseSpec(readFileSync(specPath, 'utf8'), specPath),
    name: options.name,
    shortname,
    runtime,
  };
  writeFileSync(specPath, `${JSON.stringify(spec, null, 2)}\n`);
  return { path, shortname, runtime };
}
