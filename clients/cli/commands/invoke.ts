import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Api, type Lookup } from '../api.ts';
import { settingsOf, type Context } from '../context.ts';
import { CliError, isSystemError, usageError } from '../failure.ts';
import { plainCalls, sealedCalls } from '../function-call.ts';
import { INSTALLATION_KEY_HELP, installationKeyOf } from '../installation-key.ts';
import type { Settings } from '../settings.ts';

interface InvokeOptions {
  readonly version?: string;
  readonly query: readonly string[];
  readonly header: readonly string[];
  readonly json?: string;
  readonly file?: string;
  readonly data?: string;
  readonly method?: string;
  readonly sealed?: boolean;
  readonly installationKey?: string;
}

export function addInvokeCommand(program: Command, context: Context): void {
  const collect = (value: string, previous: readonly string[]) => [...previous, value];
  const invoke = program
    .command('invoke')
    .description("call a function; its answer's body goes to stdout as it is, its status to stderr")
    .argument('<name>', 'shortname')
    .option('--version <number>', 'this version instead of the newest')
    .option('--query <name=value>', 'query parameter; may be repeated', collect, [])
    .option('--header <name:value>', 'request header; may be repeated', collect, [])
    .option('--json <json>', 'JSON body')
    .option('--file <file>', 'body from a file')
    .option('--data <text>', 'body as it is; "-" reads it from stdin')
    .option('--method <method>', "instead of the function's own")
    .option('--sealed', "seal the call here: nothing but the function's own sandbox reads it, or its answer")
    .option('--installation-key <key>', INSTALLATION_KEY_HELP)
    .action((name: string, options: InvokeOptions) =>
      runInvoke(context, settingsOf(context, invoke), { name, options }),
    );
}

async function runInvoke(
  context: Context,
  settings: Settings,
  { name, options }: { name: string; options: InvokeOptions },
): Promise<void> {
  // Usage first: nothing is asked of the server for a call that cannot be made.
  const body = await readBody(context, options);
  const headers = readHeaders(options);
  const query = readQuery(options);
  const { sealed } = options;
  const installationKey = installationKeyOf(options);
  const version = options.version === undefined ? '' : `&version=${encodeURIComponent(options.version)}`;
  const { dns, requirements } = await new Api(settings).get<Lookup>(
    `/auth-service/v1/lookup?id=${encodeURIComponent(name)}${version}`,
  );
  const send = sealed === true ? sealedCalls(settings, installationKey) : plainCalls(settings);
  const type = body === undefined ? {} : { 'content-type': body.type };
  const answer = await send({
    url: `${dns}${query}`,
    method: (options.method ?? requirements.requestType).toUpperCase(),
    headers: { ...type, ...headers },
    body: body?.bytes,
  });
  context.terminal.note(`${answer.status} ${answer.statusText}`.trim());
  for await (const chunk of answer.body) await context.terminal.stream(chunk);
  if (answer.status >= 400) {
    const code = `http.${answer.status}`;
    throw new CliError(`The call to ${name} ended with status ${answer.status}.`, { code });
  }
}

async function readBody(
  context: Context,
  { json, file, data }: InvokeOptions,
): Promise<{ bytes: Buffer; type: string } | undefined> {
  if ([json, file, data].filter((given) => given !== undefined).length > 1) {
    throw usageError('A call has one body: give only one of --json, --file and --data.');
  }
  if (json !== undefined) return { bytes: checkedJson(json), type: 'application/json' };
  if (file !== undefined)
    return { bytes: readFile(resolve(context.cwd, file)), type: 'application/octet-stream' };
  if (data === undefined) return undefined;
  const bytes = data === '-' ? await context.terminal.readInput() : Buffer.from(data);
  return { bytes, type: isJson(bytes) ? 'application/json' : 'application/octet-stream' };
}

function checkedJson(json: string): Buffer {
  const bytes = Buffer.from(json);
  if (isJson(bytes)) return bytes;
  throw usageError(
    'The text after --json is not JSON. Put it in single quotes, or send any text with --data.',
  );
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EACCES'))
      throw usageError(`The file ${path} cannot be read.`);
    throw error;
  }
}

function readQuery({ query }: InvokeOptions): string {
  const pairs = new URLSearchParams();
  for (const pair of query) {
    const [name, ...value] = pair.split('=');
    if (name === undefined || name === '' || value.length === 0) {
      throw usageError(`A query parameter is written name=value, not "${pair}".`);
    }
    pairs.append(name, value.join('='));
  }
  return pairs.size === 0 ? '' : `?${pairs.toString()}`;
}

function readHeaders({ header }: InvokeOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of header) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):\s*([^\r\n]*)$/.exec(line);
    if (match === null) throw usageError('A header is written name:value.');
    headers[(match[1] ?? '').toLowerCase()] = match[2] ?? '';
  }
  return headers;
}
