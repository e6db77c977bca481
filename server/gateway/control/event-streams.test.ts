import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PlatformError } from '../../kernel/errors.ts';
import { MEMBER_KEY, OWNER_KEY, greeter } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';

let running: RunningGateway;
beforeEach(
  async () =>
    void (running = await startGateway({ limits: { heartbeatMs: 5, eventStreamsPerAccountMax: 2 } })),
);
afterEach(() => running.gateway.close(1000));

const BUILD = '/api/v1/builds/bld_1/events';
const CONSOLE = '/api/v1/functions/greeter/console';

/** Reads on until `text` has come. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, text: string): Promise<string> {
  let seen = '';
  while (!seen.includes(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended before ${text}: ${seen}`);
    seen += Buffer.from(value).toString();
  }
  return seen;
}

async function open(
  path: string,
): Promise<{ reader: ReadableStreamDefaultReader<Uint8Array>; leave: () => void; response: Response }> {
  const leaving = new AbortController();
  const response = await running.fetch(path, { signal: leaving.signal });
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('no body');
  return { reader, response, leave: () => leaving.abort() };
}

function dataOf(text: string): unknown[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? '') as unknown);
}

describe('build events', () => {
  it('replays the build as server-sent events and ends after the last', async () => {
    const response = await running.fetch(BUILD);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(dataOf(await response.text())).toEqual(running.fakes.functions.events);
  });

  it('keeps a line with line breaks within its event', async () => {
    running.fakes.functions.events = [{ type: 'line', text: 'a\n\ndata: {"type":"status"}\r\n' }];
    expect(dataOf(await (await running.fetch(BUILD)).text())).toEqual(running.fakes.functions.events);
  });

  it('sends heartbeats while nothing happens, and lets go of the build when the client leaves', async () => {
    running.fakes.functions.hold = true;
    const { reader, leave } = await open(BUILD);
    await readUntil(reader, ': alive');
    leave();
    await running.fakes.functions.watchEnded.promise;
  });

  it('ends a failing stream with the problem as its last event', async () => {
    running.fakes.functions.failure = new PlatformError({
      kind: 'unavailable',
      code: 'functions.stopping',
      message: 'The server stops.',
    });
    const text = await (await running.fetch(BUILD)).text();
    expect(text).toContain('event: error\n');
    expect(dataOf(text).at(-1)).toMatchObject({ status: 503, code: 'functions.stopping' });
  });

  it('answers 404 as a problem for unknown builds and those of others', async () => {
    const foreign = await running.fetch(BUILD, { headers: { 'x-jf-apikey': MEMBER_KEY } });
    const unknown = await running.fetch('/api/v1/builds/bld_9/events');
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    expect(await foreign.text()).toBe(await unknown.text());
  });

  it('takes a token, and answers 401 and 403 without a live proof', async () => {
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await running.fetch(BUILD, { headers })).status;
    expect(await status({ jfwt: `token:${OWNER_KEY}` })).toBe(200);
    expect(await status({ 'x-jf-apikey': 'sk_wrong' })).toBe(401);
    expect(await status({ jfwt: 'expired' })).toBe(403);
  });

  it('bounds the streams of an account, and gives the place back at the end of one', async () => {
    running.fakes.functions.hold = true;
    const streams = [await open(BUILD), await open(BUILD)];
    const refused = await running.fetch(BUILD);
    expect(refused.status).toBe(429);
    expect(await json(refused)).toMatchObject({ code: 'streams.too_many', retryAfter: 5 });
    for (const { leave } of streams) leave();
    await running.fakes.functions.watchEnded.promise;
    running.fakes.functions.hold = false;
    let status = 429;
    while (status === 429) {
      const next = await running.fetch(BUILD);
      status = next.status;
      await next.text();
    }
    expect(status).toBe(200);
  });
});

describe('live console', () => {
  it('shows the owner lines as they come, and detaches when he leaves', async () => {
    const { reader, leave } = await open(CONSOLE);
    const { console } = running.fakes;
    await console.attached;
    console.sinks.get('acct_owner/fn_greeter')?.({ stream: 'stderr', text: 'oops ü' });
    expect(dataOf(await readUntil(reader, 'oops'))).toEqual([{ stream: 'stderr', text: 'oops ü' }]);
    leave();
    await console.detached;
    expect(console.sinks.size).toBe(0);
  });

  it('is nobody else’s, whether the function is published or not', async () => {
    for (const published of [false, true]) {
      running.fakes.functions.stored.set('greeter', greeter({ published }));
      const response = await running.fetch(CONSOLE, { headers: { 'x-jf-apikey': MEMBER_KEY } });
      expect(response.status).toBe(404);
      expect(await json(response)).toMatchObject({ code: 'function.not_found' });
    }
    expect((await running.fetch('/api/v1/functions/nothing/console')).status).toBe(404);
    expect(running.fakes.console.sinks.size).toBe(0);
  });

  it('drops lines for a reader who does not read, and tells him how many once he does', async () => {
    const { reader } = await open(CONSOLE);
    await running.fakes.console.attached;
    const sink = running.fakes.console.sinks.get('acct_owner/fn_greeter');
    for (let i = 0; i < 3000; i++) sink?.({ stream: 'stdout', text: 'x'.repeat(8000) });
    const drained = readUntil(reader, 'the end');
    const again = setInterval(() => sink?.({ stream: 'stdout', text: 'the end' }), 5);
    const text = await drained;
    clearInterval(again);
    const dropped = /event: dropped\ndata: \{"lines":(\d+)\}/.exec(text)?.[1];
    const shown = text.match(/x{8000}/g)?.length ?? 0;
    expect(shown).toBeLessThan(3000);
    expect(shown + Number(dropped)).toBeGreaterThanOrEqual(3000);
  });

  it('ends when the console refuses to attach', async () => {
    Object.assign(running.fakes.console, {
      attach: () => {
        throw new RangeError('too many');
      },
    });
    const text = await (await running.fetch(CONSOLE)).text();
    expect(dataOf(text)).toEqual([expect.objectContaining({ status: 500, code: 'platform.internal' })]);
  });

  it('does not hold up the shutdown', async () => {
    const { reader } = await open(CONSOLE);
    await running.gateway.close(60_000);
    let ended = false;
    while (!ended) ended = (await reader.read()).done;
    expect(running.fakes.console.sinks.size).toBe(0);
  });
});
