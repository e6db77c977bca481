import { beforeEach, describe, expect, it } from 'vitest';
import { notFound, PlatformError } from '../kernel/errors.ts';
import type { ModelPart, ModelRequest } from '../models/chat-model.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import { ALICE, BOB, type QueryRig, createQueryRig } from './testing/query-rig.ts';
import { calls, says, scriptedChatModel } from './testing/scripted-chat-model.ts';

let rig: QueryRig;
beforeEach(() => {
  rig = createQueryRig();
  rig.deployWeather();
});

const bern = calls(['weather', { city: 'Bern' }]);

/** What the model was told last. */
function told(request: ModelRequest | undefined): string {
  return request?.messages.at(-1)?.text ?? '';
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof PlatformError ? thrown.code : `no platform error: ${String(thrown)}`;
}

describe('a question', () => {
  it('without functions is the model’s to answer, word for word', async () => {
    const model = scriptedChatModel([says('It ', 'is ', 'fine.')]);
    const { answer, events } = rig.ask(model, { functions: [] });
    expect(await answer).toEqual({
      answer: 'It is fine.',
      finish: 'complete',
      platform: 'own',
      model: 'scripted',
      retention: 'none',
      trace: [],
    });
    expect(events.map((event) => event.type === 'text' && event.text)).toEqual(['It ', 'is ', 'fine.']);
    expect(model.requests[0]?.messages).toEqual([{ role: 'user', text: 'What is the weather in Bern?' }]);
  });

  it('leads to a call as a client would make it, and its result to the answer', async () => {
    const model = scriptedChatModel([bern, says('Sunny.')]);
    rig.answer = () => ({ body: '{"sky":"clear"}' });
    const { answer, events } = rig.ask(model);
    expect((await answer).answer).toBe('Sunny.');
    expect(rig.seen).toMatchObject([{ shortname: 'weather', method: 'GET', path: '/?city=Bern', body: '' }]);
    expect(rig.seen[0]?.call).toMatchObject({ caller: ALICE.accountId, originIp: '192.0.2.7' });
    expect(events).toEqual([
      { type: 'tool-call', id: 'c0', function: 'weather', arguments: { city: 'Bern' } },
      { type: 'tool-result', id: 'c0', ok: true, status: 200, result: '{"sky":"clear"}' },
      { type: 'text', text: 'Sunny.' },
    ]);
    expect((await answer).trace).toEqual(events.slice(0, 2));
  });

  it('keeps history and puts all system messages into one at the front', async () => {
    const model = scriptedChatModel([says('Yes.')]);
    const { answer } = rig.ask(model, {
      messages: [
        { role: 'system', text: 'Be short.' },
        { role: 'user', text: 'a' },
        { role: 'assistant', text: 'b', toolCalls: [] },
        { role: 'user', text: 'c' },
      ],
    });
    await answer;
    const [system, ...rest] = model.requests[0]?.messages ?? [];
    expect(system?.role).toBe('system');
    expect(system?.text).toMatch(/It is data from outside[^]*Be short\.$/);
    expect(rest.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
  });

  it('never splits a character between two events', async () => {
    const [high, low] = ['🪼'.charAt(0), '🪼'.charAt(1)];
    const { answer, events } = rig.ask(scriptedChatModel([says(`a${high}`, `${low}b`, high)]), {
      functions: [],
    });
    expect((await answer).answer).toBe('a🪼b\ufffd');
    for (const event of events) expect(event.type === 'text' && event.text.isWellFormed()).toBe(true);
  });

  it.each(['length', 'filtered'] as const)('says when its answer ended early: %s', async (reason) => {
    const model = scriptedChatModel([
      [
        { type: 'text', text: 'So' },
        { type: 'finish', reason },
      ],
    ]);
    expect(await rig.ask(model).answer).toMatchObject({ answer: 'So', finish: reason });
    expect(rig.records.map(({ ok }) => ok)).toEqual([false]);
  });

  it('is not answered by half: a model that breaks off is an error', async () => {
    const model = scriptedChatModel([[{ type: 'text', text: 'The answer is' }]]);
    expect(await codeOf(rig.ask(model).answer)).toBe('ai.cut_short');
  });
});

describe('the record of a question', () => {
  it('is one row with account, address, duration and success, and a reserved function', async () => {
    const model = scriptedChatModel([bern, says('Sunny.')]);
    rig.answer = () => {
      rig.time.advance(40);
      return { body: 'ok' };
    };
    await rig.ask(model).answer;
    expect(rig.records).toEqual([
      {
        accountId: ALICE.accountId,
        functionId: REQUEST_IDS.question,
        version: 1,
        originIp: '192.0.2.7',
        durationMs: 40,
        ok: true,
      },
    ]);
    expect(REQUEST_IDS.question).toMatch(/^fn_[0-9A-Za-z]{20}$/);
  });

  it('is there when the question failed, too', async () => {
    await codeOf(rig.ask(scriptedChatModel([])).answer);
    await codeOf(rig.ask(scriptedChatModel([]), { functions: ['unknown'] }).answer);
    expect(rig.records.map(({ ok }) => ok)).toEqual([false, false]);
  });
});

describe('who may call what', () => {
  it('own and published functions are found, others do not exist', async () => {
    const model = scriptedChatModel(() => says('ok'));
    expect(await codeOf(rig.ask(model, { principal: BOB }).answer)).toBe('function.not_found');
    rig.deployWeather({ published: true });
    expect((await rig.ask(model, { principal: BOB }).answer).finish).toBe('complete');
  });

  it('the library is the account’s own, never what others published', async () => {
    rig.deploy({ shortname: 'others' }, { ownerId: BOB.accountId, published: true });
    const model = scriptedChatModel([says('ok')]);
    await rig.ask(model, { functions: 'library' }).answer;
    expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(['weather']);
  });

  it('a function withdrawn while the question runs is not called any more', async () => {
    rig.deployWeather({ ownerId: BOB.accountId, published: true });
    const model = scriptedChatModel((request) => {
      rig.deployWeather({ ownerId: BOB.accountId, published: false });
      return request.messages.length === 2 ? bern : says('ok');
    });
    expect((await rig.ask(model).answer).trace[1]).toMatchObject({
      status: null,
      result: notFound('function').message,
    });
    rig.retire('weather');
    expect(rig.seen).toEqual([]);
  });

  it('more functions than a model can choose among are refused', async () => {
    for (let at = 0; at < 65; at++) rig.deploy({ shortname: `func-${at}` });
    const { answer } = rig.ask(scriptedChatModel([]), { functions: 'library' });
    expect(await codeOf(answer)).toBe('ai.too_many_functions');
  });

  it('a function that no model can call is said to be so, and is no part of the library', async () => {
    rig.deploy({ shortname: 'filters', requirements: { queryParams: [{ name: 'filter[x]' }] } });
    const model = scriptedChatModel([says('ok')]);
    expect(await codeOf(rig.ask(model, { functions: ['filters'] }).answer)).toBe('ai.not_a_tool');
    await rig.ask(model, { functions: 'library' }).answer;
    expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(['weather']);
  });
});

describe('the end of a question', () => {
  const silent = (signals: AbortSignal[]) =>
    scriptedChatModel(async function* ({ signal }): AsyncGenerator<ModelPart> {
      signals.push(signal);
      yield { type: 'text', text: 'Well' };
      await new Promise(() => undefined);
    });

  it('comes at once when the client leaves, for the model too', async () => {
    const leave = new AbortController();
    const signals: AbortSignal[] = [];
    const { answer } = rig.ask(silent(signals), { signal: leave.signal });
    leave.abort();
    expect(await codeOf(answer)).toBe('ai.cancelled');
    expect(rig.records.map(({ ok }) => ok)).toEqual([false]);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  it('comes after a minute', async () => {
    const signals: AbortSignal[] = [];
    const { answer } = rig.ask(silent(signals));
    rig.time.advance(60_000);
    expect(await codeOf(answer)).toBe('ai.deadline');
  });

  it('ends calls that are running, and tells of nothing afterwards', async () => {
    const started = Promise.withResolvers<void>();
    rig.answer = () => {
      started.resolve();
      return 'never';
    };
    const leave = new AbortController();
    const { answer, events } = rig.ask(scriptedChatModel([bern]), { signal: leave.signal });
    await started.promise;
    leave.abort();
    expect(await codeOf(answer)).toBe('ai.cancelled');
    expect(rig.cancelled).toEqual(['weather']);
    expect(events.map(({ type }) => type)).toEqual(['tool-call']);
  });

  it('comes with the bound of what a model may write', async () => {
    const endless = scriptedChatModel(async function* (): AsyncGenerator<ModelPart> {
      for (;;) yield { type: 'text', text: 'blah '.repeat(1000) };
    });
    const answer = await rig.ask(endless).answer;
    expect(answer.finish).toBe('length');
    expect(answer.answer).toHaveLength(256 * 1024);
  });
});

describe('a structured answer', () => {
  const responseSchema = {
    type: 'object',
    properties: { sky: { enum: ['clear', 'grey'] } },
    required: ['sky'],
  };

  it('is JSON of the schema, asked for without functions', async () => {
    const model = scriptedChatModel([bern, says('It is clear.'), says('```json\n{"sky":"clear"}\n```')]);
    const { answer, events } = rig.ask(model, { responseSchema });
    expect(await answer).toMatchObject({ answer: '{"sky":"clear"}', finish: 'complete' });
    expect(events.filter(({ type }) => type === 'text')).toEqual([{ type: 'text', text: '{"sky":"clear"}' }]);
    expect(
      model.requests.map(({ tools, responseSchema: schema }) => [tools.length, schema !== undefined]),
    ).toEqual([
      [1, false],
      [1, false],
      [0, true],
    ]);
  });

  it('is asked for once more when it breaks the schema, with what is wrong', async () => {
    const model = scriptedChatModel([says('{"sky":"blue"}'), says('{"sky":"grey"}')]);
    const { answer } = rig.ask(model, { responseSchema, functions: [] });
    expect((await answer).answer).toBe('{"sky":"grey"}');
    expect(told(model.requests[1])).toContain('/sky must be equal to one of the allowed values');
  });

  it('is an error when it breaks the schema twice, and never text that is not JSON', async () => {
    const model = scriptedChatModel(() => says('It is clear.'));
    const { answer, events } = rig.ask(model, { responseSchema, functions: [] });
    expect(await codeOf(answer)).toBe('ai.answer_breaks_schema');
    expect(events).toEqual([]);
  });

  it('needs a schema that can be used', async () => {
    const model = scriptedChatModel([]);
    const { answer } = rig.ask(model, { responseSchema: { type: 'nonsense' } });
    expect(await codeOf(answer)).toBe('ai.bad_response_schema');
    expect(model.requests).toEqual([]);
  });
});
