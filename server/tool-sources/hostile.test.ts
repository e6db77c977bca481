import { once } from 'node:events';
import { type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createManualTime } from '../calls/testing/manual-time.ts';
import { calls, says, scriptedChatModel } from '../ai/testing/scripted-chat-model.ts';
import type { EgressNetwork } from '../sandbox/egress-guard.ts';
import {
  type OutsideRequest,
  type OutsideServer,
  type OutsideTool,
  startOutsideServer,
} from '../../testkit/index.ts';
import type { ToolSourcesOptions } from './create-tool-sources.ts';
import { sourceLimits } from './limits.ts';
import { CERTIFICATE, KEY } from './testing/certificate.ts';
import {
  NEVER,
  type SourceRig,
  alice,
  approvedServer,
  createSourceRig,
  forecast,
} from './testing/source-rig.ts';

/** Servers that mean harm, over real HTTP. Whatever they do, a question ends, in our own words. */
const bern = calls(['weather__forecast', { city: 'Bern' }]);

/** An approved server whose answers to one method are the test's. */
async function hostile(
  rpc: string,
  answer: (outgoing: ServerResponse, id: unknown) => void,
  rig = createSourceRig(),
): Promise<{ rig: SourceRig; server: OutsideServer }> {
  const server = await approvedServer(rig);
  onTestFinished(() => server.close());
  server.intercept = (request, outgoing) => {
    if (request.rpc === rpc) answer(outgoing, idOf(request));
    return request.rpc === rpc;
  };
  return { rig, server };
}

function idOf({ text }: OutsideRequest): unknown {
  return (JSON.parse(text) as { id?: unknown }).id;
}

function sendJson(outgoing: ServerResponse, body: object): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function openStream(outgoing: ServerResponse): (message: object) => boolean {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
  return (message) => outgoing.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function textResult(id: unknown, text: string): object {
  return { jsonrpc: '2.0', id, result: { resultType: 'complete', content: [{ type: 'text', text }] } };
}

/** What the model and the caller are told of the one call. */
async function toldOf({ questions }: SourceRig): Promise<unknown> {
  const model = scriptedChatModel([bern, says('.')]);
  const query = { functions: [], sources: { names: ['weather'], holder: alice } };
  const { trace } = await questions.ask(model, query).answer;
  return trace.find(({ type }) => type === 'tool-result');
}

const open = ({ sources }: SourceRig): Promise<unknown> => sources.open(alice, ['weather'], NEVER);

/** A source under any address, of which something is approved. */
async function rigAt(url: string, over: Partial<ToolSourcesOptions>): Promise<SourceRig> {
  const rig = createSourceRig(over);
  await rig.sources.add(alice, { name: 'weather', url, token: 'secret-token' });
  await rig.sources.approve(alice, 'weather', { forecast: 'a'.repeat(64) });
  return rig;
}

describe('an answer to a call', () => {
  const big = 'x'.repeat(sourceLimits.answerBytesMax);

  it.each([
    ['in one piece', (out: ServerResponse, id: unknown) => sendJson(out, textResult(id, big))],
    ['as a stream', (out: ServerResponse, id: unknown) => void openStream(out)(textResult(id, big))],
  ])('that is huge (%s) is cut off and told as a failure', async (_how, answer) => {
    const { rig } = await hostile('tools/call', answer);
    expect(await toldOf(rig)).toMatchObject({
      ok: false,
      result: expect.stringContaining('larger than allowed'),
    });
  });

  it('that never ends is cut off', async () => {
    const { rig } = await hostile('tools/call', (outgoing) => {
      const send = openStream(outgoing);
      const params = { progressToken: 1, progress: 1, message: 'x'.repeat(10_000) };
      const more = (): void => {
        while (!outgoing.destroyed && send({ jsonrpc: '2.0', method: 'notifications/progress', params }));
      };
      outgoing.on('drain', more);
      more();
    });
    expect(await toldOf(rig)).toMatchObject({ ok: false, result: expect.stringContaining('larger') });
  });

  it.each([
    ['breaks off before it begins', (out: ServerResponse) => void out.destroy()],
    ['ends before there is a result', (out: ServerResponse) => (openStream(out), void out.end())],
    [
      'breaks off in its middle',
      (out: ServerResponse) => {
        openStream(out)({ jsonrpc: '2.0', method: 'notifications/progress', params: {} });
        out.destroy();
      },
    ],
    ['is no JSON', (out: ServerResponse) => void out.writeHead(200, JSON_TYPE).end('{"jsonrpc"')],
    [
      'is a page',
      (out: ServerResponse) => void out.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    ],
    ['has no form', (out: ServerResponse, id: unknown) => sendJson(out, { jsonrpc: '2.0', id, result: 5 })],
    ['is a failure', (out: ServerResponse) => void out.writeHead(500).end('secret stack')],
    ['is 401', (out: ServerResponse) => void out.writeHead(401, { 'www-authenticate': 'Bearer' }).end()],
    [
      'wants to be asked with more rights',
      (out: ServerResponse) =>
        void out.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }).end(),
    ],
    ['leads elsewhere', (out: ServerResponse) => void out.writeHead(307, { location: '/other' }).end()],
  ])('that %s is a failure in our words, and the question goes on', async (_what, answer) => {
    const { rig, server } = await hostile('tools/call', answer);
    const told = await toldOf(rig);
    expect(told).toMatchObject({ ok: false, status: null, result: expect.stringMatching(/weather/) });
    expect(JSON.stringify(told)).not.toContain('stack');
    expect(server.requests.filter(({ rpc }) => rpc === 'tools/call')).toHaveLength(1);
  });

  it('cannot ask for anything in return: models, people, folders', async () => {
    const { rig, server } = await hostile('tools/call', (outgoing, id) => {
      const send = openStream(outgoing);
      for (const method of ['sampling/createMessage', 'elicitation/create', 'roots/list'])
        send({
          jsonrpc: '2.0',
          id: `${method}!`,
          method,
          params: { messages: [], maxTokens: 1, message: '?' },
        });
      send(textResult(id, 'fine'));
      outgoing.end();
    });
    expect(await toldOf(rig)).toMatchObject({ ok: true, result: 'fine' });
    expect(JSON.stringify(server.requests)).not.toMatch(/"result":/);
    const asking = await hostile('tools/call', (outgoing, id) => {
      const inputRequests = { a: { method: 'elicitation/create', params: { message: '?', mode: 'form' } } };
      sendJson(outgoing, { jsonrpc: '2.0', id, result: { resultType: 'input_required', inputRequests } });
    });
    expect(await toldOf(asking.rig)).toMatchObject({ ok: false });
  });

  it('of a question whose client has left is not waited for', async () => {
    const called = Promise.withResolvers<ServerResponse>();
    const { rig } = await hostile('tools/call', (outgoing) => called.resolve(outgoing));
    const leaving = new AbortController();
    const { answer } = rig.questions.ask(scriptedChatModel([bern]), {
      functions: [],
      sources: { names: ['weather'], holder: alice },
      signal: leaving.signal,
    });
    const outgoing = await called.promise;
    const closed = once(outgoing, 'close');
    leaving.abort();
    await expect(answer).rejects.toMatchObject({ code: 'ai.cancelled' });
    await closed;
  });
});

const JSON_TYPE = { 'content-type': 'application/json' };

describe('a list of tools', () => {
  const listOf = (id: unknown, tools: object[], nextCursor?: string): object => ({
    jsonrpc: '2.0',
    id,
    result: {
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      tools,
      ...(nextCursor !== undefined && { nextCursor }),
    },
  });
  const named = (name: string): object => ({ name, inputSchema: { type: 'object' } });

  it.each<[string, (out: ServerResponse, id: unknown) => void, string]>([
    [
      'too long',
      (out, id) =>
        sendJson(
          out,
          listOf(
            id,
            Array.from({ length: 257 }, (_, at) => named(`t${at}`)),
          ),
        ),
      'sources.too_many_tools',
    ],
    ['without end', (out, id) => sendJson(out, listOf(id, [], 'more')), 'sources.too_many_tools'],
    [
      'with one name twice',
      (out, id) => sendJson(out, listOf(id, [named('a'), named('a')])),
      'sources.bad_answer',
    ],
    [
      'with a schema that is none',
      (out, id) => sendJson(out, listOf(id, [{ name: 'a', inputSchema: 5 }])),
      'sources.bad_answer',
    ],
    ['nested without end', (out, id) => nested(out, id), 'sources.bad_answer'],
    [
      'larger than allowed',
      (out) => void out.writeHead(200, JSON_TYPE).end('x'.repeat(3_000_000)),
      'sources.answer_too_large',
    ],
    ['behind a token', (out) => void out.writeHead(401).end('secret'), 'sources.refused_token'],
    ['that fails', (out) => void out.writeHead(503).end('secret'), 'sources.unreachable'],
    [
      'elsewhere',
      (out) => void out.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'sources.redirect_refused',
    ],
    ['that breaks off', (out) => void out.destroy(), 'sources.unreachable'],
  ])('%s is not used', async (_what, answer, code) => {
    const { rig } = await hostile('tools/list', answer);
    await expect(open(rig)).rejects.toMatchObject({ code, message: expect.not.stringContaining('secret') });
  });

  it('that trickles in is given up in time', async () => {
    const time = createManualTime();
    const listening = Promise.withResolvers<ServerResponse>();
    const { rig } = await hostile(
      'tools/list',
      (outgoing) => {
        outgoing.writeHead(200, JSON_TYPE).write('{');
        listening.resolve(outgoing);
      },
      createSourceRig({ scheduler: time }),
    );
    const opening = open(rig);
    opening.catch(() => undefined);
    const closed = once(await listening.promise, 'close');
    time.advance(sourceLimits.openMs);
    await expect(opening).rejects.toMatchObject({ code: 'sources.timeout' });
    await closed;
  });

  it.each<[string, Partial<OutsideTool>]>([
    ['a name that models cannot take', { name: 'a.b' }],
    ['a name too long for models', { name: 'x'.repeat(60) }],
    ['a schema that cannot be used', { inputSchema: { properties: { a: { type: 'nonsense' } } } }],
    [
      'a schema that refers to elsewhere',
      { inputSchema: { properties: { a: { $ref: 'http://10.0.0.1/' } } } },
    ],
    ['a pattern without end', { inputSchema: { properties: { a: { pattern: '(a+)+$' } } } }],
    ['words that nobody sees', { description: 'Tells the weather.\u{e0053}\u{e0065}\u{e006e}\u{e0064}' }],
    ['an order of letters that is none', { inputSchema: { properties: { a: { title: 'a\u202eb' } } } }],
    ['an argument with an odd name', { inputSchema: { properties: { 'a b': {} } } }],
  ])('with %s shows why, and the tool is not offered though approved', async (_what, change) => {
    const rig = createSourceRig();
    const odd = { ...forecast, name: 'odd', ...change };
    const server = await approvedServer(rig, [forecast, odd]);
    onTestFinished(() => server.close());
    const { tools } = await rig.sources.inspect(alice, 'weather', NEVER);
    expect(tools[1]).toMatchObject({ name: odd.name, state: 'approved', fault: expect.any(String) });
    const opened = await rig.sources.open(alice, ['weather'], NEVER);
    opened.close();
    expect(opened.tools).toHaveLength(1);
    expect(opened.withheld).toEqual([{ source: 'weather', tool: odd.name, reason: 'unusable' }]);
  });
});

describe('an address', () => {
  function networkOf(addresses: string[], connected: string[][] = []): EgressNetwork {
    return {
      resolvePublic: async () => addresses,
      resolveAsHost: async () => addresses,
      ownAddresses: () => ['198.51.100.1'],
      connect(to): Socket {
        connected.push([...to]);
        // Nothing listens on port 1, and nothing is looked up.
        return connect(1, '127.0.0.1');
      },
    };
  }

  it.each(['10.0.0.1', '127.0.0.1', '169.254.169.254', '::1', 'fd00::1', '198.51.100.1', '168.63.129.16'])(
    'whose name leads to %s is never connected to',
    async (address) => {
      const connected: string[][] = [];
      const network = networkOf(['93.184.215.14', address], connected);
      const rig = await rigAt('https://mcp.example.com/', { network, allowedHosts: [] });
      await expect(open(rig)).rejects.toMatchObject({ code: 'sources.refused_address' });
      expect(connected).toEqual([]);
      expect(rig.refusals).toHaveLength(1);
    },
  );

  it.each([
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://localhost/',
    'https://mcp.example.com:8443/',
    'https://metadata/',
  ])('like %s is never connected to', async (url) => {
    const connected: string[][] = [];
    const network = networkOf(['93.184.215.14'], connected);
    const rig = await rigAt(url, { network, allowedHosts: [] });
    await expect(open(rig)).rejects.toMatchObject({ code: 'sources.refused_address' });
    expect(connected).toEqual([]);
  });

  it('is looked up once: what was checked is what is connected to', async () => {
    const connected: string[][] = [];
    const network = networkOf(['93.184.215.14'], connected);
    const rig = await rigAt('https://mcp.example.com/', { network, allowedHosts: [] });
    await expect(open(rig)).rejects.toMatchObject({ code: 'sources.unreachable' });
    expect(connected).toEqual([['93.184.215.14']]);
  });

  it('is spoken to under TLS, to a server that proves the name', async () => {
    const server = createTlsServer({ key: KEY, cert: CERTIFICATE }, (_request, response) => response.end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const network = { ...networkOf(['93.184.215.14']), connect: () => connect(port, '127.0.0.1') };
    const codeAt = async (host: string): Promise<unknown> => {
      const rig = await rigAt(`https://${host}/`, { network, allowedHosts: [] });
      return await open(rig).catch(({ code }: { code?: unknown }) => code);
    };
    expect(await codeAt('mcp.example.com')).toBe('sources.unreachable');
    const trusted = getCACertificates('default');
    setDefaultCACertificates([CERTIFICATE]);
    onTestFinished(() => setDefaultCACertificates(trusted));
    // It answers, though not by the protocol.
    expect(await codeAt('mcp.example.com')).toBe('sources.bad_answer');
    expect(await codeAt('other.example.com')).toBe('sources.unreachable');
  });

  it.each([
    'http://mcp.example.com/',
    'ftp://mcp.example.com/',
    'file:///etc/passwd',
    'https://user:pass@mcp.example.com/',
    'https://mcp.example.com/#part',
    'mcp.example.com',
    `https://mcp.example.com/${'x'.repeat(2048)}`,
    'http://127.0.0.1:8080/',
  ])('like %s is not even taken', async (url) => {
    const { sources } = createSourceRig({ allowedHosts: [] });
    await expect(sources.add(alice, { name: 'a', url, token: undefined })).rejects.toMatchObject({
      code: 'sources.bad_url',
    });
  });

  it('that the operator allows is used whatever it is, by host or by host and port', async () => {
    const server = await startOutsideServer([forecast]);
    onTestFinished(() => server.close());
    for (const allowed of ['127.0.0.1', server.host]) {
      const rig = await rigAt(server.url, { allowedHosts: [allowed] });
      expect(await rig.sources.inspect(alice, 'weather', NEVER)).toMatchObject({
        recipient: `http://${server.host}`,
      });
    }
    const { sources } = createSourceRig({ allowedHosts: ['127.0.0.1:1'] });
    const form = { name: 'a', url: server.url, token: undefined };
    await expect(sources.add(alice, form)).rejects.toMatchObject({ code: 'sources.bad_url' });
  });

  it('that the operator no longer allows is not used any more', async () => {
    const rig = await rigAt('http://127.0.0.1:8080/', {});
    const later = createSourceRig({ allowedHosts: [] });
    for (const [id, row] of rig.rows) later.rows.set(id, row);
    await expect(open(later)).rejects.toMatchObject({ code: 'sources.refused_address' });
  });

  it('gets the token, and nobody that it points to', async () => {
    const seen: string[] = [];
    const other = createServer((request, response) => {
      seen.push(String(request.headers.authorization));
      response.end();
    });
    await once(other.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void other.close());
    const server = await startOutsideServer([forecast]);
    onTestFinished(() => server.close());
    const rig = await rigAt(server.url, {});
    await rig.sources.inspect(alice, 'weather', NEVER);
    expect(server.requests.every(({ headers }) => headers.authorization === 'Bearer secret-token')).toBe(
      true,
    );
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
      server.intercept = (_request, outgoing) => (outgoing.writeHead(status, { location }).end(), true);
      await expect(open(rig)).rejects.toMatchObject({ code: 'sources.redirect_refused' });
    }
    expect(seen).toEqual([]);
  });
});

/** JSON that no recursive reader survives. */
function nested(out: ServerResponse, id: unknown): void {
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  const tool = `{"name":"a","inputSchema":{"type":"object","properties":${deep}}}`;
  const result = `{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[${tool}]}`;
  out.writeHead(200, JSON_TYPE).end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`);
}
