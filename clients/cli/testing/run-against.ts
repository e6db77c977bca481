import { once } from 'node:events';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { run } from '../program.ts';
import { createTerminal } from '../terminal.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Outcome extends Ran {
  /** `METHOD /path body` of every request, in order. */
  readonly asked: readonly string[];
}

/** Runs a command line against a server that answers as the test says; `input` comes through a pipe. */
export async function runAgainst(
  answer: (request: { readonly method: string; readonly url: string }, response: ServerResponse) => void,
  words: readonly string[],
  input = '',
): Promise<Outcome> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '' } = request;
      asked.push(`${method} ${url} ${body}`);
      answer({ method, url }, response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const ran = await runAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, words, input);
  server.close();
  return { ...ran, asked };
}

/** As `runAgainst`, of a server that is there. */
export async function runAt(url: string, words: readonly string[], input = ''): Promise<Ran> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const printed = Promise.all([text(stdout), text(stderr)]);
  const code = await run(words, {
    terminal: createTerminal({ stdin, stdout, stderr: Object.assign(stderr, { isTTY: true }) }),
    env: { JELLYFAAS_URL: url, JELLYFAAS_API_KEY: 'sk_0123456789abcdefghijklmnopq' },
    home: '/nonexistent',
    cwd: '/nonexistent',
  });
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { code, out, err };
}
