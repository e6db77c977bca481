import { Secret } from '../../kernel/secret.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GatewayLimits } from '../limits.ts';
import { MEMBER_KEY, OWNER_KEY, owner } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { text } from './testing/fake-tools.ts';

/** /mcp as bytes on the wire: who gets in, and what is no proper message. */
const VERSION = '2026-07-28';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

interface Sent {
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly id?: number;
  readonly signal?: AbortSignal;
}

async function start(limits: Partial<GatewayLimits> = {}): Promise<RunningGateway> {
  const running = await startGateway({ limits });
  onTestFinished(() => running.gateway.close(1000));
  return running;
}

function post(
  url: string,
  body: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    signal: signal ?? null,
  });
}

const KEY = { 'x-jf-apikey': OWNER_KEY };

/** A request of the stateless revision; `method` and a tool's name are repeated in headers. */
function stateless(
  url: string,
  { method = 'tools/list', params = {}, headers = KEY, id = 1, signal }: Sent = {},
) {
  const name = params['name'];
  return post(
    url,
    JSON.stringify({ jsonrpc: '2.0', id, method, params: { _meta: ENVELOPE, ...params } }),
    {
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      ...headers,
    },
    signal,
  );
}

/** A request of the revisions with a handshake. */
function stateful(url: string, { method = 'tools/list', params = {}, headers = KEY, id = 1 }: Sent = {}) {
  const message = { jsonrpc: '2.0', ...(!method.startsWith('notifications/') && { id }), method, params };
  return post(url, JSON.stringify(message), { 'mcp-protocol-version': '2025-11-25', ...headers });
}

async function errorOf(response: Response): Promise<[number, unknown]> {
  const { error } = (await response.json()) as { error: { code: number } };
  return [response.status, error.code];
}

describe('getting in', () => {
  for (const [how, headers] of [
    ['an API key as bearer', { authorization: `Bearer ${OWNER_KEY}` }],
    ['an API key in its header', { 'x-jf-apikey': OWNER_KEY }],
    ['a JFWT as bearer', { authorization: `Bearer token:${OWNER_KEY}` }],
    ['a JFWT in its header', { jfwt: `token:${OWNER_KEY}` }],
  ] as const) {
    it(`works with ${how}`, async () => {
      expect((await stateless((await start()).url, { headers })).status).toBe(200);
    });
  }

  it('without credentials is refused, with the way to the metadata', async () => {
    const { url } = await start();
    const response = await stateless(url, { headers: {} });
    const metadata = `${url}/.well-known/oauth-protected-resource/mcp`;
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer resource_metadata="${metadata}"`);
    expect(await json(response)).toMatchObject({
      jsonrpc: '2.0',
      error: { data: { code: 'auth.invalid_key' } },
    });
    for (const path of [metadata, `${url}/.well-known/oauth-protected-resource`]) {
      expect(await json(fetch(path))).toEqual({
        resource: `${url}/mcp`,
        resource_name: 'JellyFaaS function library',
        bearer_methods_supported: ['header'],
      });
    }
  });

  it('with a wrong, expired or foreign credential is refused on every method', async () => {
    const { url } = await start();
    for (const headers of [
      { authorization: 'Bearer sk_wrong' },
      { authorization: 'Bearer not-a-token-of-ours' },
      { jfwt: 'x'.repeat(5000) },
      // A bad key is never saved by a good token.
      { 'x-jf-apikey': 'sk_wrong', authorization: `Bearer token:${OWNER_KEY}` },
    ]) {
      for (const method of ['POST', 'GET', 'DELETE']) {
        const response = await fetch(`${url}/mcp`, { method, headers });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/, error="invalid_token"$/);
      }
    }
  });

  it('takes no credential from the URL', async () => {
    const { url } = await start();
    const path = `/mcp?access_token=${OWNER_KEY}&x-jf-apikey=${OWNER_KEY}`;
    expect((await fetch(`${url}${path}`, { method: 'POST' })).status).toBe(401);
  });

  it('is refused to pages of other sites, whatever they present', async () => {
    const { url } = await start();
    for (const origin of ['https://evil.example', 'null', url.replace('127.0.0.1', 'rebound.example')]) {
      const response = await stateless(url, { headers: { ...KEY, origin } });
      expect([response.status, (await json(response))['error']]).toMatchObject([
        403,
        { data: { code: 'mcp.foreign_origin' } },
      ]);
    }
    expect((await stateless(url, { headers: { ...KEY, origin: url } })).status).toBe(200);
  });

  it('is limited to so many requests at once', async () => {
    const { url, fakes } = await start({ mcpRequestsPerAccountMax: 1 });
    const started = Promise.withResolvers<void>();
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('endless', () => {
        started.resolve();
        return new Promise(() => undefined);
      }),
    ]);
    const leaving = new AbortController();
    const first = stateless(url, {
      method: 'tools/call',
      params: { name: 'endless' },
      signal: leaving.signal,
    });
    await started.promise;
    expect((await stateless(url)).status).toBe(429);
    expect((await stateless(url, { headers: { 'x-jf-apikey': MEMBER_KEY } })).status).toBe(200);
    leaving.abort();
    await expect(first).rejects.toThrow();
    // The place comes back once the server has seen the client go.
    while ((await stateless(url)).status === 429);
  });
});

describe('a message', () => {
  it('of the stateless revision gets a private, short-lived list', async () => {
    const { url } = await start();
    const response = await stateless(url);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await json(response)).toMatchObject({
      result: { resultType: 'complete', tools: [], ttlMs: 60_000, cacheScope: 'private' },
    });
  });

  it('of the stateless revision may ask who answers, without a handshake', async () => {
    const { url } = await start();
    const answer = await json(stateless(url, { method: 'server/discover' }));
    expect(answer['result']).toMatchObject({
      supportedVersions: [VERSION],
      capabilities: { tools: { listChanged: true } },
      cacheScope: 'private',
    });
  });

  it('that is none is refused by what is wrong with it', async () => {
    const { url } = await start({ mcpBodyBytesMax: 1000 });
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect(await errorOf(await post(url, '{', KEY))).toEqual([400, -32_700]);
    expect(await errorOf(await post(url, '', KEY))).toEqual([400, -32_700]);
    expect(await errorOf(await post(url, JSON.stringify([list, list]), KEY))).toEqual([400, -32_600]);
    expect(await errorOf(await post(url, '"tools/list"', KEY))).toEqual([400, -32_600]);
    expect((await post(url, JSON.stringify({ ...list, jsonrpc: '1.0' }), KEY)).status).toBe(400);
    expect((await post(url, 'a=b', { ...KEY, 'content-type': 'text/plain' })).status).toBe(400);
    expect((await post(url, JSON.stringify(list), { ...KEY, 'content-type': 'text/plain' })).status).toBe(
      415,
    );
    expect((await post(url, ' '.repeat(2000), KEY)).status).toBe(413);
    expect((await post(url, JSON.stringify(list), { ...KEY, accept: 'text/html' })).status).toBe(406);
  });

  it('of an unknown revision is refused with those that are known', async () => {
    const { url } = await start();
    const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const response = await stateless(url, {
      params: { _meta },
      headers: { ...KEY, 'mcp-protocol-version': '2099-01-01' },
    });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: { code: -32_022, data: { supported: [VERSION] } } });
    expect((await stateful(url, { headers: { ...KEY, 'mcp-protocol-version': '1999-01-01' } })).status).toBe(
      400,
    );
  });

  it('whose headers tell another story than its body is refused', async () => {
    const { url } = await start();
    const response = await stateless(url, { headers: { ...KEY, 'mcp-method': 'tools/call' } });
    expect(await errorOf(response)).toEqual([400, -32_020]);
  });

  it('nested without end is refused, and the server goes on', async () => {
    const { url } = await start();
    const deep = `${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}`;
    const list = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":${deep}}}`;
    expect(await (await post(url, list, KEY)).text()).toContain('"error"');
    expect((await stateless(url)).status).toBe(200);
  });

  it('of an unknown method is refused as such', async () => {
    const { url } = await start();
    const response = await stateless(url, { method: 'resources/list' });
    expect(await json(response)).toMatchObject({ error: { code: -32_601 } });
  });
});

describe('other methods', () => {
  it('are refused: there are no sessions to end and, in the stateless revision, no stream to get', async () => {
    const { url } = await start();
    for (const [method, headers] of [
      ['DELETE', { ...KEY, 'mcp-session-id': 'x' }],
      ['GET', { ...KEY, accept: 'text/event-stream', 'mcp-protocol-version': VERSION }],
      ['GET', { ...KEY, accept: 'text/html' }],
    ] as const) {
      const response = await fetch(`${url}/mcp`, { method, headers });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });
});

describe('a cancellation by message', () => {
  it('ends the request of the same client, and never one of another with the same number', async () => {
    const { url, fakes } = await start();
    const ended = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('waiter', ({ caller }) => {
        caller.signal.addEventListener('abort', () => ended.resolve());
        started.resolve();
        return new Promise(() => undefined);
      }),
      fakes.tools.tool('ready', async () => text('1')),
    ]);
    const shaken = await stateful(url, {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    });
    await shaken.text();
    const session = { ...KEY, 'mcp-session-id': shaken.headers.get('mcp-session-id') ?? '' };
    const call = await stateful(url, {
      method: 'tools/call',
      id: 7,
      params: { name: 'waiter', arguments: {} },
      headers: session,
    });
    await started.promise;
    const cancel = (headers: Record<string, string>): Promise<Response> =>
      stateful(url, { method: 'notifications/cancelled', params: { requestId: 7 }, headers });
    for (const headers of [
      KEY,
      { ...KEY, 'mcp-session-id': 'another' },
      { ...session, 'x-jf-apikey': MEMBER_KEY },
    ]) {
      expect((await cancel(headers)).status).toBe(202);
    }
    expect(fakes.tools.calls[0]?.caller.signal.aborted).toBe(false);
    expect((await cancel(session)).status).toBe(202);
    await ended.promise;
    expect(await call.text()).not.toContain('"result"');
  });
});

describe('a subscription', () => {
  const listen = (url: string): Promise<Response> =>
    stateless(url, { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } });

  it('ends at the first change after its key was revoked, without news', async () => {
    const { url, fakes } = await start();
    await fakes.accounts.createKey({
      accountId: owner.accountId,
      accountKey: new Secret(new Uint8Array(32)),
    });
    const response = await listen(url);
    await fakes.accounts.revokeKey(owner, owner.keyId);
    fakes.changeLibrary({ ownerId: owner.accountId, isPublic: false });
    expect(await response.text()).not.toContain('list_changed');
  });

  it('ends properly when the server stops', async () => {
    const { url, gateway } = await startGateway();
    const response = await listen(url);
    await gateway.close(5000);
    expect(await response.text()).toMatch(/"resultType":"complete"/);
  });

  it('counts among the event streams, not among the requests', async () => {
    const { url } = await start({ eventStreamsPerAccountMax: 1, mcpRequestsPerAccountMax: 1 });
    await listen(url);
    expect((await stateless(url)).status).toBe(200);
    expect((await listen(url)).status).toBe(429);
  });
});
