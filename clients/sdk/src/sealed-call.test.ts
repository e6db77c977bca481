import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JellyFaaSError } from './error.ts';
import { type JellyFaaS, jellyfaas } from './jellyfaas.ts';
import { type Bytes, utf8 } from './sealed/bytes.ts';
import { encodeKeyConfigs, generateKeyPair } from './sealed/index.ts';
import { pieces } from './sealed/testing/rig.ts';
import {
  DEPLOYMENT,
  NOT_OPENED,
  type Reply,
  type SealedServer,
  TOKEN,
  json,
  startSealedServer,
} from './testing/sealed-server.ts';

const JSON_TYPE = ['content-type', 'application/json'] as const;
let server: SealedServer;
let client: JellyFaaS;
let reply: Reply;

beforeEach(async () => {
  reply = { headers: [JSON_TYPE], content: pieces(utf8('{"greeting":'), utf8('"hello"}')) };
  server = await startSealedServer(() => reply);
  client = jellyfaas({ url: server.url, apiKey: 'sk_x' });
});
afterEach(() => server.close());

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(JellyFaaSError);
  return (error as JellyFaaSError).errorId;
}

const invoke = (): Promise<unknown> => client.invoke('greeter', { json: {}, sealed: true });
const sent = (): number => server.asked.filter((line) => line.startsWith('POST')).length;
const keysAsked = (): number => server.asked.filter((line) => line.includes('ohttp-keys')).length;

describe('a sealed call', () => {
  it('reaches the function as it was meant, and nothing of it or its answer is on the wire', async () => {
    const answered = await client.invoke('greeter', {
      json: { name: 'canary-body' },
      query: { q: 'canary-query' },
      headers: { 'x-note': 'canary-header' },
      method: 'PUT',
      sealed: true,
    });
    expect(answered).toEqual({ greeting: 'hello' });
    expect(server.opened).toEqual([
      {
        method: 'PUT',
        scheme: 'http',
        authority: new URL(server.url).host,
        path: '/?q=canary-query',
        headers: [JSON_TYPE, ['x-note', 'canary-header']],
        body: '{"name":"canary-body"}',
      },
    ]);
    expect(server.asked.at(-1)).toBe(`POST /${DEPLOYMENT}`);
    const wire = server.wire().toString('latin1');
    for (const text of ['canary', 'hello', 'greeting', 'application/json']) expect(wire).not.toContain(text);
  });

  it('never carries the token to the function', async () => {
    await invoke();
    expect(JSON.stringify(server.opened)).not.toContain(TOKEN);
  });

  it('of a URL goes below its deployment', async () => {
    reply = { status: 404, headers: [['x-made-by', 'the function']] };
    const answer = await client.call(new URL(`${server.url}/${DEPLOYMENT}/a/b?c=%2F`), { sealed: true });
    expect([answer.status, answer.headers.get('x-made-by')]).toEqual([404, 'the function']);
    expect(server.opened[0]).toMatchObject({ method: 'GET', path: '/a/b?c=%2F', body: '' });
  });

  it.each([204, 304])('may be answered without a body: %i', async (status) => {
    reply = { status };
    expect((await client.call('greeter', { json: {}, sealed: true })).status).toBe(status);
  });

  it('carries bytes both ways', async () => {
    reply = { content: pieces(new Uint8Array(70_000).fill(7)) };
    const file = new Blob([new Uint8Array(40_000).fill(65)], { type: 'image/png' });
    const answer = await client.call('greeter', { file, sealed: true });
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array(70_000).fill(7));
    expect(server.opened[0]).toMatchObject({
      headers: [['content-type', 'image/png']],
      body: 'A'.repeat(40_000),
    });
  });

  it('gives a streamed answer as it comes', async () => {
    const gate = Promise.withResolvers<void>();
    const content = async function* () {
      yield utf8('first');
      await gate.promise;
      yield utf8('second');
    };
    reply = { content: content() };
    const answer = await client.call('greeter', { json: {}, sealed: true });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe('first');
    gate.resolve();
    expect([(await reader.read()).value, (await reader.read()).done]).toEqual(['second', true]);
  });

  it('asks for keys once for all calls, and of one size tells nothing of which it was', async () => {
    const lengths = new Set<number>();
    for (const name of ['a', 'b'.repeat(50)]) {
      const before = server.wire().length;
      server.interfere = { body: () => pieces() };
      await client.call('greeter', { json: { name }, sealed: true }).catch(() => undefined);
      lengths.add(server.wire().length - before);
    }
    expect([keysAsked(), lengths.size]).toEqual([1, 1]);
  });

  it('is sealed once more, to new keys, when the old ones are gone', async () => {
    await invoke();
    await server.forgetKeys();
    reply = { headers: [JSON_TYPE], content: pieces(utf8('1')) };
    expect(await invoke()).toBe(1);
    expect([keysAsked(), server.opened.length]).toEqual([2, 2]);
  });

  it('is sealed once more also when the new key has the id of the lost one', async () => {
    await invoke();
    await server.forgetKeys(7);
    reply = { headers: [JSON_TYPE], content: pieces(utf8('1')) };
    expect(await invoke()).toBe(1);
    expect([keysAsked(), server.opened.length]).toEqual([2, 2]);
  });

  it('that does not open may have come twice: it is not sent again while its key may live', async () => {
    await invoke();
    server.interfere = { instead: (res) => Boolean(json(res, 400, NOT_OPENED)) };
    expect(await errorOf(invoke())).toBe('calls.sealed_refused');
    // The next key is handed out while the one before it still opens.
    await server.forgetKeys();
    expect(await errorOf(invoke())).toBe('calls.sealed_refused');
    expect([sent(), keysAsked()]).toEqual([3, 3]);
  });

  it('is given up when the new keys are not known either', async () => {
    const others = [await generateKeyPair(9), await generateKeyPair(9)];
    server.interfere = { keys: () => encodeKeyConfigs([others[keysAsked() - 1]!.config]) };
    expect(await errorOf(invoke())).toBe('calls.sealed_key_unknown');
    expect([keysAsked(), sent(), server.opened.length]).toEqual([2, 2, 0]);
  });
});

const flip = async function* (sealed: AsyncIterable<Bytes>, which: number) {
  let at = 0;
  for await (const piece of sealed) {
    const copy = piece.slice();
    if (at++ === which) copy[copy.length - 1]! ^= 1;
    yield copy;
  }
};
const without = async function* (sealed: AsyncIterable<Bytes>, which: number) {
  let at = 0;
  for await (const piece of sealed) if (at++ !== which) yield piece;
};

describe('a gateway that interferes is found out', () => {
  // Nonce, head, two pieces of content, end of the message, final chunk.
  for (const which of [0, 1, 2, 3, 4, 5]) {
    it(`when it changes part ${which} of the answer, or leaves it out`, async () => {
      server.interfere = { body: (sealed) => flip(sealed, which) };
      expect(await errorOf(invoke())).toBe('sdk.answer_not_authentic');
      reply = { headers: [JSON_TYPE], content: pieces(utf8('{"greeting":'), utf8('"hello"}')) };
      server.interfere = { body: (sealed) => without(sealed, which) };
      expect(await errorOf(invoke())).toBe('sdk.answer_not_authentic');
    });
  }

  it('when it answers in the clear, as success', async () => {
    server.interfere = { instead: (res) => Boolean(res.end('{"greeting":"hello"}')) };
    expect(await errorOf(invoke())).toBe('sdk.answer_not_sealed');
    server.interfere = { instead: (res) => Boolean(res.writeHead(204).end()) };
    expect(await errorOf(invoke())).toBe('sdk.answer_not_sealed');
  });

  it('when it answers in the clear, as failure: that is never taken for the word of the function', async () => {
    const body = JSON.stringify({ errorId: 'calls.overloaded', errorMessage: 'Busy.' });
    server.interfere = { instead: (res) => Boolean(res.writeHead(503).end(body)) };
    const call = client.call('greeter', { json: {}, sealed: true });
    expect(await errorOf(call)).toBe('calls.overloaded');
  });

  it('when it answers one call with the answer of another', async () => {
    const recorded: Bytes[] = [];
    const record = async function* (sealed: AsyncIterable<Bytes>) {
      for await (const piece of sealed) {
        recorded.push(piece);
        yield piece;
      }
    };
    server.interfere = { body: record };
    await invoke();
    server.interfere = { body: () => pieces(...recorded) };
    expect(await errorOf(invoke())).toBe('sdk.answer_not_authentic');
  });

  it('when it sends malformed keys, or one whose secrets everybody knows', async () => {
    const known = { keyId: 7, publicKey: new Uint8Array(32), aeadIds: [2] };
    for (const keys of [(list: Uint8Array) => list.subarray(1), () => encodeKeyConfigs([known])]) {
      server.interfere = { keys };
      expect(await errorOf(invoke())).toBe('sdk.keys_malformed');
    }
    expect(server.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });
});

describe('with the key of the installation', () => {
  beforeEach(() => {
    const { url, installationKey } = server;
    client = jellyfaas({ url, apiKey: 'sk_x', installationKey });
  });

  it('keys are taken that it signed', async () => {
    expect(await invoke()).toEqual({ greeting: 'hello' });
  });

  it('nothing is sent to other keys, nor to its own with another signature', async () => {
    const other = await generateKeyPair(7);
    const swapped = (jws: string, deployment: string): string => {
      const [header, payload = '', signature] = jws.split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const changed = Buffer.from(JSON.stringify({ ...claims, deployment })).toString('base64url');
      return [header, changed, signature].join('.');
    };
    for (const interfere of [
      { keys: () => encodeKeyConfigs([other.config]) },
      { signature: () => '' },
      { signature: (jws: string) => swapped(jws, 'another') },
      { signature: (jws: string) => `${jws.slice(0, -5)}AAAAA` },
    ]) {
      server.interfere = interfere;
      expect(await errorOf(invoke())).toBe('sdk.keys_not_signed');
    }
    expect(server.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });
});

it('what is no function cannot be called sealed, and nothing is sent', async () => {
  const call = client.call(new URL(`${server.url}/query-service/v1/query`), { json: {}, sealed: true });
  expect(await errorOf(call)).toBe('sdk.not_a_function');
  expect(server.asked).toEqual([]);
});

it('a header that no message can hold is an error of the caller', async () => {
  const call = client.call('greeter', { json: {}, headers: { 'x-price': '5 \u20ac' }, sealed: true });
  expect(await errorOf(call)).toBe('sdk.misuse');
});

it('a runtime without X25519 says so, and nothing is sent', async () => {
  vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new Error('not supported'));
  expect(await errorOf(invoke())).toBe('sdk.cannot_seal');
  vi.restoreAllMocks();
  expect(server.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
});

it('a call that is cancelled rejects with the reason of its signal', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(client.invoke('greeter', { json: {}, sealed: true, signal })).rejects.toThrow('enough');
});
