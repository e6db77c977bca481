import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AiEvent, PullEvent } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { MEMBER_KEY, OWNER_KEY, owner } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { ANSWER } from './testing/fake-ai.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const TOKEN = `token:${OWNER_KEY}`;

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${running.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', jfwt: TOKEN, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const stream = (body: object): Promise<Response> =>
  post('/api/v1/ai/query', body, { accept: 'text/event-stream' });

/** Events of a stream, parsed by the contract; names and types must agree. */
function eventsOf(text: string): AiEvent[] {
  return [...text.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)].map(([, name, data = '']) => {
    const event = AiEvent.parse(JSON.parse(data));
    expect(event.type).toBe(name);
    return event;
  });
}

function noModel(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'models.none_configured',
    message: 'Add a model.',
  });
}

describe('the public clients’ query endpoints', () => {
  it('answer 200 with `answer`, under the old header name too', async () => {
    for (const header of ['jfwt', 'p48wt']) {
      const response = await fetch(`${running.url}/query-service/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [header]: TOKEN },
        body: JSON.stringify({ query: 'What?', ai_platform: 'gemini', unknown_field: 1 }),
      });
      expect(response.status).toBe(200);
      const { trace: _, ...shown } = ANSWER;
      expect(await json(response)).toEqual(shown);
    }
    expect(running.fakes.ai.asked[0]).toMatchObject({
      principal: owner,
      originIp: '192.0.2.1',
      messages: [{ role: 'user', text: 'What?' }],
      functions: [],
      platform: 'gemini',
    });
  });

  it('pass on the one function', async () => {
    await post('/query-service/v1/function', { query: 'What?', function: 'greeter' });
    expect(running.fakes.ai.asked[0]).toMatchObject({ functions: ['greeter'], platform: undefined });
  });

  it.each([
    ['no token', { jfwt: '' }, 403],
    ['a wrong token', { jfwt: 'wrong' }, 403],
    ['a key instead of a token', { jfwt: '', 'x-jf-apikey': OWNER_KEY }, 403],
  ])('refuse %s with JSON', async (_what, headers, status) => {
    const response = await post('/query-service/v1/query', { query: 'What?' }, headers);
    expect(response.status).toBe(status);
    expect(await json(response)).toEqual({ errorId: 'auth.invalid_token', errorMessage: expect.any(String) });
  });

  it.each(['{', '{}', '{"query":""}', '[]', '{"query":5}', ''])(
    'answer %j with a JSON error',
    async (body) => {
      const response = await post('/query-service/v1/query', body);
      expect(response.status).toBe(400);
      expect(await json(response)).toEqual({ errorId: expect.any(String), errorMessage: expect.any(String) });
    },
  );

  it('answer every failure with JSON', async () => {
    running.fakes.ai.answer = () => Promise.reject(noModel());
    const response = await post('/query-service/v1/query', { query: 'What?' });
    expect(response.status).toBe(409);
    expect(await json(response)).toEqual({ errorId: 'models.none_configured', errorMessage: 'Add a model.' });
    running.fakes.ai.answer = () => Promise.reject(new Error('CANARY question'));
    const failed = await post('/query-service/v1/query', { query: 'What?' });
    expect(failed.status).toBe(500);
    expect(JSON.stringify(await json(failed)) + running.fakes.log.join('')).not.toContain('CANARY');
  });
});

describe('/api/v1/ai/query', () => {
  it('answers JSON, with the trace only when asked', async () => {
    const { trace, ...shown } = ANSWER;
    expect(await json(post('/api/v1/ai/query', { question: 'What?' }))).toEqual(shown);
    expect(await json(post('/api/v1/ai/query', { question: 'What?', trace: true }))).toEqual({
      ...shown,
      trace,
    });
  });

  it('passes on history, functions, platform and schema', async () => {
    const messages = [
      { role: 'system', content: 's' },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ];
    await post('/api/v1/ai/query', {
      messages,
      functions: 'library',
      platform: 'own',
      responseSchema: { type: 'object' },
    });
    expect(running.fakes.ai.asked[0]).toMatchObject({
      messages: [
        { role: 'system', text: 's' },
        { role: 'user', text: 'a' },
        { role: 'assistant', text: 'b', toolCalls: [] },
        { role: 'user', text: 'c' },
      ],
      functions: 'library',
      platform: 'own',
      responseSchema: { type: 'object' },
    });
  });

  it.each([
    {},
    { question: 'a', messages: [{ role: 'user', content: 'b' }] },
    { messages: [{ role: 'assistant', content: 'b' }] },
    { messages: [{ role: 'tool', content: 'b' }] },
    { question: 'a', functions: Array.from({ length: 65 }, (_, at) => `f${at}`) },
    { question: 'a', temperature: 1 },
  ])('refuses %j with a problem, streamed or not', async (body) => {
    for (const response of [await post('/api/v1/ai/query', body), await stream(body)]) {
      expect(response.status).toBe(400);
      expect(await json(response)).toMatchObject({ code: 'request.invalid' });
    }
    expect(running.fakes.ai.asked).toEqual([]);
  });

  it('streams what happens in order and ends with the answer', async () => {
    const [called, answered] = ANSWER.trace;
    running.fakes.ai.answer = async (_query, onEvent) => {
      if (called !== undefined && answered !== undefined) [called, answered].forEach(onEvent);
      onEvent({ type: 'text', text: 'Forty-' });
      onEvent({ type: 'text', text: 'zwei 🪼\n\ndata: no event' });
      return ANSWER;
    };
    const response = await stream({ question: 'What?', trace: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(eventsOf(await response.text())).toEqual([
      called,
      answered,
      { type: 'text', text: 'Forty-' },
      { type: 'text', text: 'zwei 🪼\n\ndata: no event' },
      { ...ANSWER, type: 'answer' },
      { type: 'done' },
    ]);
    const untraced = eventsOf(await (await stream({ question: 'What?' })).text());
    expect(untraced.map(({ type }) => type)).toEqual(['text', 'text', 'answer', 'done']);
    expect(untraced.at(-2)).not.toHaveProperty('trace');
  });

  it('passes each piece on before the next one comes', async () => {
    const more = Promise.withResolvers<void>();
    running.fakes.ai.answer = async (_query, onEvent) => {
      onEvent({ type: 'text', text: 'first' });
      await more.promise;
      return ANSWER;
    };
    const response = await stream({ question: 'What?' });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('first')) seen += (await reader?.read())?.value ?? '';
    more.resolve();
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      seen += next.value;
    expect(eventsOf(seen).map(({ type }) => type)).toEqual(['text', 'answer', 'done']);
  });

  it('tells a failure as the last but one event, without anything of the question', async () => {
    running.fakes.ai.answer = () => Promise.reject(noModel());
    expect(eventsOf(await (await stream({ question: 'What?' })).text())).toEqual([
      { type: 'error', code: 'models.none_configured', detail: 'Add a model.', status: 409 },
      { type: 'done' },
    ]);
    running.fakes.ai.answer = () => Promise.reject(new Error('CANARY question'));
    const text = await (await stream({ question: 'What?' })).text();
    expect(text + running.fakes.log.join('')).not.toContain('CANARY');
    expect(running.fakes.log.join('')).toContain('"area":"ai"');
  });

  it.each(['application/json', 'text/event-stream'])(
    'is called off when its client leaves (%s)',
    async (accept) => {
      const asked = Promise.withResolvers<AbortSignal>();
      running.fakes.ai.answer = ({ signal }) => {
        asked.resolve(signal);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(noModel())));
      };
      const leave = new AbortController();
      const response = fetch(`${running.url}/api/v1/ai/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', jfwt: TOKEN, accept },
        body: '{"question":"What?"}',
        signal: leave.signal,
      }).catch(() => undefined);
      const signal = await asked.promise;
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      leave.abort();
      await aborted;
      await response;
    },
  );

  it('bounds how many questions an account has open, and gives places back', async () => {
    await running.gateway.close(1000);
    running = await startGateway({ limits: { queriesPerAccountMax: 1 } });
    const started = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    running.fakes.ai.answer = async () => {
      started.resolve();
      await end.promise;
      return ANSWER;
    };
    const first = post('/api/v1/ai/query', { question: 'What?' });
    await started.promise;
    for (const second of [
      await stream({ question: 'What?' }),
      await post('/query-service/v1/query', { query: 'W' }),
    ])
      expect(second.status).toBe(429);
    end.resolve();
    expect((await first).status).toBe(200);
    expect((await stream({ question: 'What?' })).status).toBe(200);
  });
});

describe('the choice of a model', () => {
  it('is kept for the account and can be taken back', async () => {
    const put = (body: object): Promise<Response> =>
      running.fetch('/api/v1/ai/choice', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect(await json(running.fetch('/api/v1/ai/choice'))).toEqual({});
    expect(await json(put({ platform: 'own' }))).toEqual({ platform: 'own' });
    expect(await json(running.fetch('/api/v1/ai/choice'))).toEqual({ platform: 'own' });
    expect(await json(put({}))).toEqual({});
  });

  it('is among the models that are shown', async () => {
    expect(await json(running.fetch('/api/v1/ai/models'))).toEqual({
      models: [{ platform: 'own', model: 'scripted', isOutside: false, retention: 'none' }],
    });
  });
});

describe('fetching the embedded model', () => {
  const pull = async (body: object, headers: Record<string, string> = {}): Promise<string> => {
    const init = { method: 'POST', body: JSON.stringify(body) };
    const response = await running.fetch('/api/v1/models/pull', {
      ...init,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return `${response.status} ${await response.text()}`;
  };

  it('shows its progress and says when it is done', async () => {
    const events = [...(await pull({})).matchAll(/^data: (.+)$/gm)].map(([, data = '']) =>
      PullEvent.parse(JSON.parse(data)),
    );
    expect(events).toEqual([
      { type: 'progress', name: 'tiny', bytes: 1, totalBytes: 2 },
      { type: 'progress', name: 'tiny', bytes: 2, totalBytes: 2 },
      { type: 'done' },
    ]);
  });

  it('ends with the error when it fails', async () => {
    expect(await pull({ name: 'other' })).toContain('"type":"error","code":"models.no_source"');
  });

  it('is for the owner alone', async () => {
    expect(await pull({}, { 'x-jf-apikey': MEMBER_KEY })).toContain('403');
  });
});
