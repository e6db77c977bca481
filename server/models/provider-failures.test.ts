import { startScriptedModel } from '@jellyfaas/testkit';
import { describe, expect, test } from 'vitest';
import type { ModelPart } from './chat-model.ts';
import { failure, KEY, open, PROMPT, serve, text } from './testing/provider-rig.ts';

describe('a failing provider', () => {
  test.each([
    [400, 'models.provider_refused', 'provider', 1],
    [401, 'models.refused_key', 'platform', 1],
    [403, 'models.refused_key', 'platform', 1],
    [404, 'models.unknown_model', 'platform', 1],
    [408, 'models.provider_failed', 'provider', 3],
    [429, 'models.rate_limited', 'provider', 3],
    [500, 'models.provider_failed', 'provider', 3],
    [503, 'models.provider_failed', 'provider', 3],
    [529, 'models.provider_failed', 'provider', 3],
  ])('with status %i is %s, owned by the %s, after %i tries', async (status, code, owner, tries) => {
    const server = await serve(() => ({ status, headers: { 'x-echo': `${KEY} ${PROMPT}` } }));
    const model = open(server.url);
    const error = await failure(model.stream());
    expect(error).toMatchObject({ code, owner });
    expect(error.message).toContain('"lab"');
    expect(server.requests).toHaveLength(tries);
    expect(model.pauses).toEqual([250, 500].slice(0, tries - 1));
  });

  test('that recovers within two more tries is not noticed', async () => {
    const server = await serve([{ status: 503 }, { status: 429 }, { text: 'ok' }]);
    expect(await text(open(server.url).stream())).toBe('ok');
  });

  test('is tried again when it says, unless that is too late', async () => {
    const server = await serve([
      { status: 429, headers: { 'retry-after': '3' } },
      { text: 'ok' },
      { status: 429, headers: { 'retry-after': '3600' } },
    ]);
    const model = open(server.url);
    expect(await text(model.stream())).toBe('ok');
    expect(model.pauses).toEqual([3000]);
    expect(await failure(model.stream())).toMatchObject({
      code: 'models.rate_limited',
      retryAfterSeconds: 3600,
    });
    expect(server.requests).toHaveLength(3);
  });

  test('that cannot be reached is said to be so', async () => {
    const gone = await startScriptedModel([]);
    await gone.close();
    const model = open(gone.url);
    expect(await failure(model.stream())).toMatchObject({ code: 'models.unreachable' });
    expect(model.pauses).toHaveLength(2);
  });

  test('that redirects is not followed', async () => {
    const other = await serve([{ text: 'stolen' }]);
    for (const status of [301, 302, 307, 308]) {
      const server = await serve([{ status, headers: { location: `${other.url}/chat/completions` } }]);
      expect(await failure(open(server.url).stream())).toMatchObject({ code: 'models.redirect_refused' });
    }
    expect(other.requests).toEqual([]);
  });
});

describe('a broken answer', () => {
  const start = 'data: {"choices":[{"index":0,"delta":{"content":"be"},"finish_reason":null}]}\n\n';
  test.each([
    ['is cut off', { text: 'begun and more', deltaLength: 5, cutAfterBytes: 400 }],
    ['has no finish', { text: 'begun', finish: null }],
    [
      'turns into no JSON',
      { body: { contentType: 'text/event-stream', text: `${start}data: {${PROMPT}\n\n` } },
    ],
    [
      'reports an error',
      {
        body: {
          contentType: 'text/event-stream',
          text: `${start}data: {"error":{"message":"${KEY} ${PROMPT}","code":500}}\n\n`,
        },
      },
    ],
  ] as const)('that %s after its first part is an error and is not tried again', async (_, reply) => {
    const server = await serve(() => reply);
    const seen: ModelPart[] = [];
    const { stream } = open(server.url);
    const watched = (async function* watch() {
      for await (const part of stream()) {
        seen.push(part);
        yield part;
      }
    })();
    expect(await failure(watched)).toMatchObject({ code: 'models.broken_answer', owner: 'provider' });
    expect(seen.filter(({ type }) => type === 'text').length).toBeGreaterThan(0);
    expect(seen.some(({ type }) => type === 'finish')).toBe(false);
    expect(server.requests).toHaveLength(1);
  });

  test('that is cut off before its first part is asked for again', async () => {
    const server = await serve([{ text: 'x', cutAfterBytes: 20 }, { text: 'ok' }]);
    expect(await text(open(server.url).stream())).toBe('ok');
  });

  test('that is no stream at all is an error', async () => {
    const server = await serve(() => ({ body: { contentType: 'text/html', text: `<p>${PROMPT}` } }));
    expect(await failure(open(server.url).stream())).toMatchObject({ code: 'models.broken_answer' });
  });

  test('without end is cut off at the limit', async () => {
    const server = await serve(() => ({ text: 'x'.repeat(200_000), deltaLength: 1000 }));
    const model = open(server.url, {}, { limits: { answerBytesMax: 100_000 } });
    expect(await failure(model.stream())).toMatchObject({ code: 'models.answer_too_large' });
    expect(await server.requests[0]?.ended).toBeDefined();
  });

  test('in one endless line is cut off at the limit', async () => {
    const line = { contentType: 'text/event-stream', text: `data: ${'x'.repeat(1_000_000)}` };
    const server = await serve(() => ({ body: line }));
    const model = open(server.url, {}, { limits: { answerBytesMax: 100_000 } });
    expect(await failure(model.stream())).toMatchObject({ code: 'models.answer_too_large' });
    expect(server.requests).toHaveLength(1);
  });
});

describe('silence', () => {
  const short = { firstPartMs: 300, betweenPartsMs: 300, retriesMax: 0 };
  test.each(['before-headers', 'after-headers', 'after-first-write'] as const)(
    '%s ends in a timeout and gives the connection up',
    async (hang) => {
      const server = await serve(() => ({ text: 'x', hang }));
      const error = await failure(open(server.url, {}, { limits: short }).stream());
      expect(error).toMatchObject({ code: 'models.timeout', kind: 'deadline_exceeded', owner: 'provider' });
      expect(await server.requests[0]?.ended).toBe('client-left');
    },
  );

  test('before the first part is tried again, and the whole has a limit of its own', async () => {
    const server = await serve((_, index) => (index === 0 ? { hang: 'before-headers' } : { text: 'ok' }));
    expect(await text(open(server.url, {}, { limits: { firstPartMs: 500 } }).stream())).toBe('ok');
    const stuck = await serve(() => ({ hang: 'before-headers' }));
    const error = await failure(open(stuck.url, {}, { limits: { totalMs: 300 } }).stream());
    expect(error).toMatchObject({ code: 'models.timeout' });
    expect(stuck.requests).toHaveLength(1);
  });

  test('in the middle of an answer ends it', async () => {
    const server = await serve(() => ({
      text: 'a b c ',
      deltaLength: 2,
      beforeWrite: () => new Promise(() => undefined),
    }));
    expect(await failure(open(server.url, {}, { limits: short }).stream())).toMatchObject({
      code: 'models.timeout',
    });
  });
});

describe('cancelling', () => {
  test('reaches the provider, before the answer and in its middle', async () => {
    for (const hang of ['before-headers', 'after-headers'] as const) {
      const arrived = Promise.withResolvers<void>();
      const server = await serve(() => {
        arrived.resolve();
        return { hang };
      });
      const controller = new AbortController();
      const failed = failure(open(server.url).stream({ signal: controller.signal }));
      await arrived.promise;
      controller.abort();
      expect(await failed).toMatchObject({ code: 'models.cancelled', kind: 'cancelled' });
      expect(await server.requests[0]?.ended).toBe('client-left');
      expect(server.requests).toHaveLength(1);
    }
  });

  test('by leaving the stream reaches the provider too', async () => {
    const server = await serve([{ text: 'a b c ', deltaLength: 2, beforeWrite: stuckAfter(1) }]);
    for await (const part of open(server.url).stream()) {
      expect(part).toEqual({ type: 'text', text: 'a ' });
      break;
    }
    expect(await server.requests[0]?.ended).toBe('client-left');
  });

  test('during the pause before another try ends at once', async () => {
    const server = await serve(() => ({ status: 503 }));
    const controller = new AbortController();
    const model = open(
      server.url,
      {},
      {
        pause: async (_, signal) => {
          controller.abort();
          await Promise.reject(signal.reason as Error);
        },
      },
    );
    expect(await failure(model.stream({ signal: controller.signal }))).toMatchObject({
      code: 'models.cancelled',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('before it began sends nothing', async () => {
    const server = await serve([{ text: 'x' }]);
    const error = await failure(open(server.url).stream({ signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: 'models.cancelled' });
    expect(server.requests).toEqual([]);
  });
});

/** Holds the server's stream after `count` further writes. */
function stuckAfter(count: number): () => Promise<void> {
  let writes = 0;
  return () => (++writes > count ? new Promise(() => undefined) : Promise.resolve());
}
