import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { print, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';
import { schemaFromSample } from '../sample-schema.ts';

/** What needs no server: spec, base64, version. */
export function addLocalCommands(program: Command, context: Context): void {
  program
    .command('spec')
    .description('turn a JSON sample into a JSON Schema for jellyspec.json')
    .requiredOption('-j, --json <json>', 'the sample; "-" reads it from stdin')
    .option('-r, --raw', 'nothing but the schema')
    .option('-f, --flat', 'the schema in one line')
    .allowExcessArguments()
    .action(async ({ json, raw, flat }: { json: string; raw?: boolean; flat?: boolean }) => {
      const text = json === '-' ? (await context.terminal.readInput()).toString('utf8') : json;
      const schema = schemaFromSample(parseSample(text));
      context.terminal.out(JSON.stringify(schema, null, flat === true ? 0 : 2));
      if (raw !== true) context.terminal.note('Put it into requirements.inputSchema or outputSchema.');
    });

  const base64 = withJson(program.command('base64'))
    .description('encode or decode base64')
    .option('-e, --encode <text>', 'text to encode')
    .option('-d, --decode <base64>', 'base64 to decode')
    .action(({ encode, decode }: { encode?: string; decode?: string }) => {
      if ((encode === undefined) === (decode === undefined))
        throw usageError('Give either -e TEXT or -d BASE64.');
      const result = decode === undefined ? Buffer.from(encode ?? '').toString('base64') : decoded(decode);
      print(context, base64, { value: { result }, lines: [result] });
    });

  const version = withJson(program.command('version'))
    .description('print the version of this command')
    .action(() => {
      const { version: number } = packageInfo();
      print(context, version, { value: { version: number }, lines: [`JellyFaaS CLI v${number}`] });
    });
}

function parseSample(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError('The sample is not JSON. Put it in single quotes, for example -j \'{"name":"foo"}\'.');
  }
}

function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text.trim())) throw usageError('The text after -d is not base64.');
  return Buffer.from(text, 'base64').toString('utf8');
}

function packageInfo(): { version: string } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
}
