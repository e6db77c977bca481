import type { ExampleInput } from '../library/example-input.ts';

export interface QuickStart {
  /** Of this installation, without trailing slash. */
  readonly url: string;
  readonly shortname: string;
  readonly method: string;
  readonly input: ExampleInput;
}

export const QUICK_START_WAYS = ['curl', 'cli', 'node', 'python'] as const;
export type QuickStartWay = (typeof QUICK_START_WAYS)[number];

/** The way from an API key to a function's answer; all but the key is real. */
export function quickStartSample(way: QuickStartWay, start: QuickStart): string {
  return { curl, cli, node, python }[way](start);
}

const KEY = 'sk_…';

function curl({ url, shortname, method, input: { query, json, file } }: QuickStart): string {
  const pairs = new URLSearchParams(query).toString();
  const call = [
    `curl -X ${method} ${shellQuote('$ADDRESS' + (pairs && `?${pairs}`))}`,
    '-H "jfwt: $TOKEN"',
    ...(json === undefined
      ? []
      : [`-H 'content-type: application/json'`, `--data ${shellQuote(JSON.stringify(json))}`]),
    ...(file === undefined ? [] : [`-H 'content-type: application/octet-stream'`, `--data-binary @${file}`]),
  ];
  return [
    `export KEY='${KEY}'`,
    `TOKEN=$(curl -s ${url}/auth-service/v1/validate -H "x-jf-apikey: $KEY" | jq -r .token)`,
    `ADDRESS=$(curl -s '${url}/auth-service/v1/lookup?id=${shortname}' -H "x-jf-apikey: $KEY" | jq -r .dns)`,
    call.join(' \\\n  '),
  ].join('\n');
}

function cli({ url, shortname, input: { query, json, file } }: QuickStart): string {
  const parameters = Object.entries(query).map(
    ([name, value]) => ` --query ${shellQuote(`${name}=${value}`)}`,
  );
  const body = json === undefined ? '' : ` --json ${shellQuote(JSON.stringify(json))}`;
  const upload = file === undefined ? '' : ` --file ${file}`;
  return [
    `npx jellyfaas login --url ${url}   # asks for the key`,
    `npx jellyfaas invoke ${shortname}${parameters.join('')}${body}${upload}`,
    'npx jellyfaas calls',
  ].join('\n');
}

function node({ url, shortname, input: { query, json, file } }: QuickStart): string {
  const input = [
    ...(Object.keys(query).length === 0 ? [] : [`  query: ${JSON.stringify(query)},`]),
    ...(json === undefined ? [] : [`  json: ${JSON.stringify(json)},`]),
    ...(file === undefined ? [] : [`  file: await readFile('${file}'),`]),
  ];
  const call = input.length === 0 ? ')' : `, {\n${input.join('\n')}\n})`;
  return [
    ...(file === undefined ? [] : [`import { readFile } from 'node:fs/promises';`]),
    `import { jellyfaas } from '@jellyfaas/sdk';`,
    '',
    `const client = jellyfaas({ url: '${url}', apiKey: '${KEY}' });`,
    `console.log(await client.invoke('${shortname}'${call});`,
  ].join('\n');
}

function python({ url, shortname, input: { query, json, file } }: QuickStart): string {
  const input = [
    ...(Object.keys(query).length === 0 ? [] : [`query=${pythonLiteral(query)}`]),
    ...(json === undefined ? [] : [`json=${pythonLiteral(json)}`]),
    ...(file === undefined ? [] : [`file=open("${file}", "rb").read()`]),
  ];
  return [
    'from jellyfaas_client import jellyfaas',
    '',
    `client = jellyfaas(url="${url}", api_key="${KEY}")`,
    `print(client.invoke(${[`"${shortname}"`, ...input].join(', ')}))`,
  ].join('\n');
}

/** In single quotes unless a variable has to be read. */
function shellQuote(text: string): string {
  if (text.startsWith('$')) return `"${text}"`;
  return /^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pythonLiteral(one)}`);
  return `{${pairs.join(', ')}}`;
}
