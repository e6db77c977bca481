import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createForward } from './forward.ts';

let directory: string;
let server: Server;
let seen: IncomingHttpHeaders;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'jellyfaas-forward-'));
  server = createServer((req, res) => {
    seen = req.headers;
    res.end('answer');
  }).listen(join(directory, 's'));
  await once(server, 'listening');
});

afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

async function forwarded(pass: string | undefined): Promise<IncomingHttpHeaders> {
  const headers: [string, string][] = ['Jfwt', 'jfwt', 'p48wt', 'X-JF-ApiKey'].map((name) => [name, 'mine']);
  const head = { method: 'POST', scheme: 'https', authority: 'h', path: '/', headers };
  const { signal } = new AbortController();
  const { content } = await createForward(join(directory, 's'))(head, [], { signal, pass });
  for await (const piece of content) expect(Buffer.from(piece).toString()).toBe('answer');
  return seen;
}

it('takes the pass from the gateway, whatever the sealed request says of itself', async () => {
  const { jfwt, p48wt, 'x-jf-apikey': apiKey } = await forwarded('pass_of_the_gateway');
  expect({ jfwt, p48wt, apiKey }).toEqual({ jfwt: 'pass_of_the_gateway' });
});

it('gives functions neither pass nor token', async () => {
  expect(Object.keys(await forwarded(undefined)).toSorted()).toEqual(['connection', 'host', 'transfer-encoding']);
});
