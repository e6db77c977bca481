import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bytes, utf8 } from '../../sdk/src/sealed/bytes.ts';
import { pieces } from '../../sdk/src/sealed/testing/rig.ts';
import {
  DEPLOYMENT,
  type Reply,
  type SealedServer,
  TOKEN,
  startSealedServer,
} from '../../sdk/src/testing/sealed-server.ts';
import { jellyfaas } from '../../sdk/src/index.ts';
import { runAgainst } from '../testing/run-against.ts';
import { type SealingProxy, startSealingProxy } from './sealing-proxy.ts';

let server: SealedServer;
let proxy: SealingProxy;
let reply: Reply;

beforeEach(async () => {
  reply = { headers: [['content-type', 'text/plain']], content: pieces(utf8('hello, '), utf8('Ada')) };
  server = await startSealedServer(() => reply);
  proxy = await startSealingProxy({ url: server.url, port: 0 });
});
afterEach(() => {
  proxy.close();
  server.close();
});

const call = (init: RequestInit = {}, path = ''): Promise<Response> =>
  fetch(`${proxy.url}/${DEPLOYMENT}${path}`, { ...init, headers: { jfwt: TOKEN } });

async function told(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { errorId: string }).errorId];
}

describe('a client that cannot seal', () => {
  it('validates, looks up and calls at the address of the proxy, and what it calls goes on sealed', async () => {
    const headers = { 'x-jf-apikey': 'sk_x' };
    const { token } = (await (await fetch(`${proxy.url}/auth-service/v1/validate`, { headers })).json()) as {
      token: string;
    };
    const { dns } = (await (
      await fetch(`${proxy.url}/auth-service/v1/lookup?id=greeter`, { headers })
    ).json()) as { dns: string };
    expect(dns).toBe(`${proxy.url}/${DEPLOYMENT}`);
    const answer = await fetch(`${dns}/below?q=canary-query`, {
      method: 'POST',
      headers: { jfwt: token, 'content-type': 'application/json', 'x-note': 'canary-header' },
      body: '{"name":"canary-body"}',
    });
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/plain',
      'hello, Ada',
    ]);
    expect(server.opened).toMatchObject([
      { method: 'POST', path: '/below?q=canary-query', body: '{"name":"canary-body"}' },
    ]);
    expect(Object.fromEntries(server.opened[0]!.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-note': 'canary-header',
    });
    expect(JSON.stringify(server.opened)).not.toContain(TOKEN);
    const wire = server.wire().toString('latin1');
    for (const needle of ['canary', 'hello', 'text/plain']) expect(wire).not.toContain(needle);
  });

  it('gets status, headers and a streamed body as the function gave them', async () => {
    const gate = Promise.withResolvers<void>();
    const content = async function* () {
      yield utf8('first');
      await gate.promise;
      yield utf8('second');
    };
    const headers = [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ] as const;
    reply = { status: 418, headers, content: content() };
    const answer = await call({ method: 'PUT', body: 'x' });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([418, ['a=1', 'b=2']]);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe('first');
    gate.resolve();
    expect((await reader.read()).value).toBe('second');
  });

  it.each(['HEAD', 'DELETE'])('may use %s, and be answered without a body', async (method) => {
    reply = { status: 204 };
    expect([(await call({ method })).status, server.opened[0]?.method]).toEqual([204, method]);
  });

  it('is not sent past the proxy by a function that names an address of the server', async () => {
    const { host } = new URL(server.url);
    for (const [location, seen] of [
      [`${server.url}/${DEPLOYMENT}/next?a=1#b`, `${proxy.url}/${DEPLOYMENT}/next?a=1#b`],
      [`https://${host}`, `${proxy.url}/`],
      [`//${host}/next`, `${proxy.url}/next`],
      ['/next', '/next'],
      [`http://${host}.example/next`, `http://${host}.example/next`],
    ] as const) {
      reply = { status: 302, headers: [['location', location]] };
      const answer = await fetch(`${proxy.url}/${DEPLOYMENT}`, {
        headers: { jfwt: TOKEN },
        redirect: 'manual',
      });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, seen]);
    }
  });

  it('hears of a token that is no longer taken, and renews it', async () => {
    const tokens = ['an old one', TOKEN];
    const old = jellyfaas({ url: proxy.url, token: () => tokens.shift() ?? '' });
    expect((await old.call(new URL(`${proxy.url}/${DEPLOYMENT}`))).status).toBe(200);
  });

  it('asks for keys once', async () => {
    for (let count = 0; count < 3; count++) {
      reply = {};
      await call();
    }
    expect(server.asked.filter((line) => line.includes('ohttp-keys'))).toHaveLength(1);
  });
});

describe('what does not pass', () => {
  it('is told in the form that clients know', async () => {
    const other = await fetch(`${proxy.url}/query-service/v1/other`, { method: 'POST', body: 'canary' });
    expect(await told(other)).toEqual([404, 'proxy.not_passed']);
    expect(await told(await fetch(`${proxy.url}/${DEPLOYMENT}`))).toEqual([403, 'auth.invalid_token']);
    expect(await told(await fetch(`${proxy.url}/${DEPLOYMENT}`, { headers: { jfwt: 'another' } }))).toEqual([
      403,
      'auth.invalid_token',
    ]);
    expect(await told(await call({}, '/../../metrics'))).toEqual([404, 'proxy.not_passed']);
    // As it stands: `fetch` would take the steps upwards itself.
    const { hostname: host, port } = new URL(proxy.url);
    const asking = request({ host, port, path: `/${DEPLOYMENT}/../metrics`, headers: { jfwt: TOKEN } });
    const [upwards] = await once(asking.end(), 'response');
    expect([upwards.statusCode, await text(upwards)]).toEqual([404, expect.stringContaining('not_passed')]);
    expect(server.opened).toEqual([]);
  });

  it('comes under another name than this machine', async () => {
    const asking = request(`${proxy.url}/${DEPLOYMENT}`, { headers: { host: 'evil.example', jfwt: TOKEN } });
    const [answer] = await once(asking.end(), 'response');
    expect([answer.statusCode, await text(answer)]).toEqual([421, expect.stringContaining(proxy.url)]);
    expect(server.asked).toEqual([]);
  });

  it('is an answer in the clear, or one that was changed', async () => {
    server.interfere = { instead: (res) => Boolean(res.end('hello')) };
    expect(await told(await call())).toEqual([502, 'sdk.answer_not_sealed']);
    const flipped = async function* (sealed: AsyncIterable<Bytes>) {
      for await (const piece of sealed) yield piece.map((byte) => byte ^ 1);
    };
    server.interfere = { body: flipped };
    expect(await told(await call())).toEqual([502, 'sdk.answer_not_authentic']);
  });

  it('is the end of an answer whose end did not come: the client sees it cut', async () => {
    const withoutEnd = async function* (sealed: AsyncIterable<Bytes>) {
      let held: Bytes | undefined;
      for await (const piece of sealed) {
        if (held !== undefined) yield held;
        held = piece;
      }
    };
    server.interfere = { body: withoutEnd };
    await expect(call().then((answer) => answer.text())).rejects.toThrow();
  });

  it('is a key that the installation did not sign', async () => {
    proxy.close();
    const installationKey = Buffer.alloc(32, 1).toString('base64url');
    proxy = await startSealingProxy({ url: server.url, port: 0, installationKey });
    expect(await told(await call())).toEqual([502, 'sdk.keys_not_signed']);
  });

  it('is for a server that does not answer', async () => {
    server.close();
    expect(await told(await call())).toEqual([502, 'sdk.unreachable']);
    const validate = await fetch(`${proxy.url}/auth-service/v1/validate`);
    expect(await told(validate)).toEqual([502, 'cli.unreachable']);
  });
});

describe('jellyfaas proxy', () => {
  it('says that a pinned key is none before it listens', async () => {
    const words = ['proxy', '--port', '0', '--installation-key', 'sk_0wnerKey'];
    expect(await runAgainst(() => undefined, words)).toMatchObject({
      code: 2,
      err: expect.stringContaining('jellyfaas-receipts'),
    });
  });

  it('says when its port is taken or none', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const answer = (): void => undefined;
    expect(await runAgainst(answer, ['proxy', '--port', port])).toMatchObject({
      code: 1,
      err: expect.stringContaining(`Port ${port} of this machine is not free`),
    });
    taken.close();
    expect(await runAgainst(answer, ['proxy', '--port', '70000', '--json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('cli.usage'),
    });
  });
});
