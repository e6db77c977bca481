import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type CallToolResult,
  Client,
  ProtocolError,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { PlatformError } from '../../kernel/errors.ts';
import { MEMBER_KEY, OWNER_KEY, member, owner } from '../testing/fakes.ts';
import { type RunningGateway, startGateway } from '../testing/start.ts';
import { text } from './testing/fake-tools.ts';

/** /mcp over real HTTP with the official client, in both eras of the protocol; only the functions are faked. */
const ERAS = [
  { era: '2026-07-28', mode: { pin: '2026-07-28' } },
  { era: '2025-11-25', mode: 'legacy' },
] as const;
type Mode = (typeof ERAS)[number]['mode'];

async function start(): Promise<RunningGateway> {
  const running = await startGateway({ limits: { mcpProgressMs: 5 } });
  onTestFinished(() => running.gateway.close(1000));
  return running;
}

async function connect(url: string, mode: Mode, key = OWNER_KEY): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

function firstText(result: CallToolResult): string {
  const [first] = result.content;
  return first?.type === 'text' ? first.text : '';
}

describe.each(ERAS)('a client of $era', ({ mode }) => {
  it('sees the own and the published functions in order of their names, with schemas and annotations', async () => {
    const { url, fakes } = await start();
    const answer = async () => text('{}');
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('weather', answer, {
        declaration: { name: 'weather', description: 'Tells the weather.', parameters },
        isOpenWorld: true,
        outputSchema: { type: 'object', properties: { degrees: { type: 'number' } } },
      }),
      fakes.tools.tool('adder', answer, { isReadOnly: false }),
    ]);
    fakes.tools.owned.set(member.accountId, [fakes.tools.tool('secret', answer)]);
    fakes.tools.published.push(fakes.tools.tool('public', answer));
    const { tools } = await (await connect(url, mode)).listTools();
    expect(tools.map(({ name }) => name)).toEqual(['adder', 'public', 'weather']);
    expect(tools[0]?.annotations).toEqual({ readOnlyHint: false, openWorldHint: false });
    expect(tools[2]).toMatchObject({
      description: 'Tells the weather.',
      inputSchema: parameters,
      outputSchema: { type: 'object', properties: { degrees: { type: 'number' } } },
      annotations: { readOnlyHint: true, openWorldHint: true },
    });
  });

  it('reads a library of a hundred functions in pages', async () => {
    const { url, fakes } = await start();
    const names = Array.from({ length: 100 }, (_, i) => `fun-${String(i).padStart(3, '0')}`);
    fakes.tools.owned.set(
      owner.accountId,
      names.toReversed().map((name) => fakes.tools.tool(name, async () => text('1'))),
    );
    const client = await connect(url, mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(names);
    await expect(client.listTools({ cursor: '!' })).rejects.toThrow(/cursor/);
  });

  it('gets two tools for a library of 500, finds a function by words and calls it', async () => {
    const { url, fakes } = await start();
    const library = Array.from({ length: 500 }, (_, i) =>
      fakes.tools.tool(`fun-${i}`, async ({ args }) => text(JSON.stringify(args))),
    );
    const described = { name: 'invoices', description: 'Sums invoices up.', parameters: { type: 'object' } };
    library.push(
      fakes.tools.tool('invoices', async ({ args }) => text(JSON.stringify(args)), {
        declaration: described,
      }),
    );
    fakes.tools.owned.set(owner.accountId, library);
    const client = await connect(url, mode);
    const { tools, nextCursor } = await client.listTools();
    expect([tools.map(({ name }) => name), nextCursor]).toEqual([
      ['find_functions', 'call_function'],
      undefined,
    ]);
    const found = await client.callTool({ name: 'find_functions', arguments: { query: 'sum of INVOICES' } });
    expect(found.structuredContent).toEqual({
      functions: [{ name: 'invoices', description: 'Sums invoices up.', inputSchema: { type: 'object' } }],
      more: false,
    });
    const many = await client.callTool({ name: 'find_functions', arguments: { query: 'fun' } });
    expect(many.structuredContent).toMatchObject({ more: true });
    const called = await client.callTool({
      name: 'call_function',
      arguments: { name: 'invoices', arguments: { year: '2026' } },
    });
    expect(firstText(called)).toBe('{"year":"2026"}');
    const unknown = await client.callTool({ name: 'call_function', arguments: { name: 'invented' } });
    expect([unknown.isError, firstText(unknown)]).toEqual([
      true,
      expect.stringContaining('no such function'),
    ]);
  });

  it('calls with its arguments, as the account of the key and from the address of the request', async () => {
    const { url, fakes } = await start();
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('greeter', async () => text('hi', 'text/plain')),
    ]);
    const client = await connect(url, mode);
    const result = await client.callTool({ name: 'greeter', arguments: { name: 'Ü' } });
    expect([result.isError ?? false, firstText(result)]).toEqual([false, 'hi']);
    expect(fakes.tools.calls).toMatchObject([
      { args: { name: 'Ü' }, caller: { principal: owner, originIp: '192.0.2.1' } },
    ]);
  });

  it('gets structured content of the declared schema, and a failure when the function breaks it', async () => {
    const { url, fakes } = await start();
    const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
    const answers = ['{"n":1}', '{"n":"one"}', 'not json'];
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('counter', async () => text(answers.shift() ?? ''), {
        outputSchema,
        checkAnswer: (answer) =>
          typeof (answer as { n: unknown }).n === 'number' ? [] : ['/n must be number'],
      }),
    ]);
    const client = await connect(url, mode);
    await client.listTools();
    const good = await client.callTool({ name: 'counter' });
    expect(good.structuredContent).toEqual({ n: 1 });
    for (const bad of [
      await client.callTool({ name: 'counter' }),
      await client.callTool({ name: 'counter' }),
    ]) {
      expect([bad.isError, bad.structuredContent]).toEqual([true, undefined]);
      expect(firstText(bad)).toContain('does not fit the output schema');
    }
  });

  it('gets an answer that is a list as structured content', async () => {
    const { url, fakes } = await start();
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('lister', async () => text('[1,2]'), {
        outputSchema: { type: 'array', items: { type: 'number' } },
      }),
    ]);
    const client = await connect(url, mode);
    await client.listTools();
    const { structuredContent } = await client.callTool({ name: 'lister' });
    expect(structuredContent).toEqual(mode === 'legacy' ? { result: [1, 2] } : [1, 2]);
  });

  it('gets a file as an embedded resource, byte for byte', async () => {
    const { url, fakes } = await start();
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('painter', async () => ({ ...text(''), contentType: 'image/png', bytes })),
    ]);
    const result = await (await connect(url, mode)).callTool({ name: 'painter' });
    expect(result.content).toEqual([
      {
        type: 'resource',
        resource: {
          uri: 'function://painter/answer',
          mimeType: 'image/png',
          blob: Buffer.from(bytes).toString('base64'),
        },
      },
    ]);
  });

  it('gets failures of a function as results that say so', async () => {
    const { url, fakes } = await start();
    const timeout = new PlatformError({
      kind: 'deadline_exceeded',
      code: 'calls.timeout',
      message: 'Too slow.',
    });
    const tool: typeof fakes.tools.tool = (...given) => fakes.tools.tool(...given);
    fakes.tools.owned.set(owner.accountId, [
      tool('refuser', async () => text('no such city', 'text/plain', 404)),
      tool('sleeper', () => Promise.reject(timeout)),
      tool('broken', () => Promise.reject(new Error('secret of /internal/path'))),
      tool('bulky', async () => ({
        ...text('12ü', 'text/plain'),
        bytes: Buffer.from('12ü').subarray(0, 3),
        truncated: true,
      })),
      tool('strict', async () => text(''), { check: () => ['/city: must be a string'] }),
    ]);
    const client = await connect(url, mode);
    const told = async (name: string): Promise<string> => {
      const { isError, content } = await client.callTool({ name });
      expect(isError).toBe(true);
      return JSON.stringify(content);
    };
    expect(await told('refuser')).toMatch(/status 404.*no such city/);
    expect(await told('sleeper')).toContain('Too slow. (calls.timeout)');
    expect(await told('broken')).toContain('platform.internal');
    expect(await told('broken')).not.toMatch(/secret|internal\/path|at .*\.ts/);
    expect(await told('bulky')).toMatch(/too large.*"12"/);
    const calls = fakes.tools.calls.length;
    expect(await told('strict')).toContain('/city: must be a string');
    expect(fakes.tools.calls).toHaveLength(calls);
    expect(fakes.log.join('')).toContain('"platform.internal"');
  });

  it('gets a protocol error for a tool that is not there or not its own', async () => {
    const { url, fakes } = await start();
    fakes.tools.owned.set(owner.accountId, [fakes.tools.tool('mine-only', async () => text(''))]);
    const stranger = await connect(url, mode, MEMBER_KEY);
    const errors = await Promise.all(
      ['mine-only', 'missing'].map((name) => stranger.callTool({ name }).catch((error: unknown) => error)),
    );
    expect(errors[0]).toBeInstanceOf(ProtocolError);
    expect(errors.map((error) => (error as ProtocolError).code)).toEqual([-32602, -32602]);
    expect(String(errors[0])).toBe(String(errors[1]));
    expect((await stranger.listTools()).tools).toEqual([]);
  });

  it('is told of progress while a call runs, if it asked', async () => {
    const { url, fakes } = await start();
    const told = Promise.withResolvers<void>();
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('slow', async () => {
        await told.promise;
        return text('done', 'text/plain');
      }),
    ]);
    const client = await connect(url, mode);
    const seen: number[] = [];
    const result = await client.callTool(
      { name: 'slow' },
      {
        onprogress: ({ progress }) => {
          if (seen.push(progress) === 3) told.resolve();
        },
      },
    );
    expect(firstText(result)).toBe('done');
    expect(seen.slice(0, 3)).toEqual([0.005, 0.01, 0.015]);
  });

  it('ends the call of the function when it cancels, and no failure is logged', async () => {
    const { url, fakes } = await start();
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    fakes.tools.owned.set(owner.accountId, [
      fakes.tools.tool('endless', ({ caller: { signal } }) => {
        started.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
            ended.resolve();
          });
        });
      }),
    ]);
    const client = await connect(url, mode);
    const leaving = new AbortController();
    const call = client.callTool({ name: 'endless' }, { signal: leaving.signal });
    await started.promise;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await ended.promise;
    await client.listTools();
    expect(fakes.log).toEqual([]);
  });

  it('hears that its list changed, and nothing of what others do in private', async () => {
    const { url, fakes } = await start();
    const news: string[] = [];
    const listen = async (name: string, key: string): Promise<void> => {
      const client = await connect(url, mode, key);
      client.setNotificationHandler('notifications/tools/list_changed', () => {
        news.push(name);
        arrived.shift()?.resolve();
      });
      if (mode !== 'legacy') await client.listen({ toolsListChanged: true });
    };
    const arrived = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const [first, second, third] = arrived;
    await listen('owner', OWNER_KEY);
    await listen('member', MEMBER_KEY);
    // A client with a handshake opens its stream behind the answer; changes are told until it is there.
    const nudge = setInterval(() => {
      if (news.length === 0) fakes.changeLibrary({ ownerId: owner.accountId, isPublic: false });
    }, 10);
    await first?.promise;
    clearInterval(nudge);
    fakes.changeLibrary({ ownerId: owner.accountId, isPublic: true });
    await Promise.all([second?.promise, third?.promise]);
    expect(news.filter((name) => name === 'member')).toHaveLength(1);
  });
});
