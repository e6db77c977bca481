import type { BodySpec, FunctionSpec } from './spec.ts';

/** One entry of the library's `languageSamples`: how to call the function from one language. */
export interface LanguageSample {
  readonly language: 'curl' | 'node' | 'python' | 'go';
  /** Example query, for example `name=foo`. */
  readonly params?: string;
  readonly input?: string;
  readonly output?: string;
  readonly sdkCode: string;
}

interface Call {
  readonly method: string;
  readonly url: string;
  /** JSON text, or undefined where the call sends none. */
  readonly json: string | undefined;
  /** A file's name, or undefined where the call sends none. */
  readonly file: string | undefined;
}

/** Ready-to-run calls of the function at `url`; each reads its token from the variable JELLYFAAS_TOKEN. */
export function languageSamples(spec: FunctionSpec, url: string): LanguageSample[] {
  const params = exampleQuery(spec);
  const call: Call = {
    method: spec.requestType,
    url: params === '' ? url : `${url}?${params}`,
    json: spec.input.type === 'JSON' ? exampleOf(spec.input) || '{}' : undefined,
    file: spec.input.type === 'FILE' ? `input.${spec.input.schema.extensions[0] ?? 'bin'}` : undefined,
  };
  const shared = {
    ...(params !== '' && { params }),
    ...(call.json !== undefined && { input: call.json }),
    ...(exampleOf(spec.output) !== '' && { output: exampleOf(spec.output) }),
  };
  return [
    { language: 'curl', ...shared, sdkCode: curl(call) },
    { language: 'node', ...shared, sdkCode: node(call) },
    { language: 'python', ...shared, sdkCode: python(call) },
    { language: 'go', ...shared, sdkCode: go(call) },
  ];
}

function exampleOf(body: BodySpec): string {
  return body.type === 'JSON' ? body.example : '';
}

/** Example data has the form `name=foo` or is the value alone. */
function exampleQuery({ queryParams }: FunctionSpec): string {
  const query = new URLSearchParams();
  for (const { name, required, exampleData } of queryParams) {
    const value = exampleData.startsWith(`${name}=`) ? exampleData.slice(name.length + 1) : exampleData;
    if (required || value !== '') query.append(name, value);
  }
  return query.toString();
}

function curl({ method, url, json, file }: Call): string {
  const lines = [`curl -X ${method} ${shellQuote(url)}`, `-H "jfwt: $JELLYFAAS_TOKEN"`];
  if (json !== undefined) lines.push(`-H 'Content-Type: application/json'`, `--data ${shellQuote(json)}`);
  if (file !== undefined) lines.push(`-H 'Content-Type: application/octet-stream'`, `--data-binary @${file}`);
  return lines.join(' \\\n  ');
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A string literal that JavaScript, Python and Go all read alike. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function node({ method, url, json, file }: Call): string {
  const body = json === undefined ? file && `await readFile(${quote(file)})` : quote(json);
  return [
    ...(file === undefined ? [] : [`import { readFile } from 'node:fs/promises';`, '']),
    `const response = await fetch(${quote(url)}, {`,
    `  method: '${method}',`,
    `  headers: { jfwt: process.env.JELLYFAAS_TOKEN, 'Content-Type': '${contentType(file)}' },`,
    ...(body === undefined ? [] : [`  body: ${body},`]),
    '});',
    'console.log(response.status, await response.text());',
  ].join('\n');
}

function python({ method, url, json, file }: Call): string {
  const body = json === undefined ? file && `open(${quote(file)}, "rb")` : `${quote(json)}.encode()`;
  return [
    'import os',
    'import requests',
    '',
    `response = requests.request("${method}", ${quote(url)},`,
    `    headers={"jfwt": os.environ["JELLYFAAS_TOKEN"], "Content-Type": "${contentType(file)}"}${body === undefined ? ')' : ','}`,
    ...(body === undefined ? [] : [`    data=${body})`]),
    'print(response.status_code, response.text)',
  ].join('\n');
}

function go({ method, url, json, file }: Call): string {
  const body =
    json === undefined ? (file === undefined ? 'nil' : 'file') : `strings.NewReader(${quote(json)})`;
  const imports = ['fmt', 'io', 'net/http', 'os', ...(json === undefined ? [] : ['strings'])];
  return [
    'package main',
    '',
    'import (',
    ...imports.map((name) => `\t"${name}"`),
    ')',
    '',
    'func main() {',
    ...(file === undefined ? [] : [`\tfile, err := os.Open(${quote(file)})`, ...goFailure()]),
    `\trequest, err := http.NewRequest("${method}", ${quote(url)}, ${body})`,
    ...goFailure(),
    '\trequest.Header.Set("jfwt", os.Getenv("JELLYFAAS_TOKEN"))',
    `\trequest.Header.Set("Content-Type", "${contentType(file)}")`,
    '\tresponse, err := http.DefaultClient.Do(request)',
    ...goFailure(),
    '\tdefer response.Body.Close()',
    '\ttext, _ := io.ReadAll(response.Body)',
    '\tfmt.Println(response.StatusCode, string(text))',
    '}',
  ].join('\n');
}

function goFailure(): string[] {
  return ['\tif err != nil {', '\t\tpanic(err)', '\t}'];
}

function contentType(file: string | undefined): string {
  return file === undefined ? 'application/json' : 'application/octet-stream';
}
