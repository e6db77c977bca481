import { describe, expect, test } from 'vitest';
import { accountId, all, failure, KEY, open, serve, text, weather } from './testing/provider-rig.ts';

describe('an answer', () => {
  test('is passed on in parts as they come, ending with one finish', async () => {
    const held = Promise.withResolvers<void>();
    let writes = 0;
    const server = await serve([
      {
        text: 'one two ',
        deltaLength: 4,
        beforeWrite: () => (++writes === 2 ? held.promise : Promise.resolve()),
      },
    ]);
    const parts = open(server.url).stream()[Symbol.asyncIterator]();
    expect((await parts.next()).value).toEqual({ type: 'text', text: 'one ' });
    held.resolve();
    expect((await parts.next()).value).toEqual({ type: 'text', text: 'two ' });
    expect((await parts.next()).value).toEqual({ type: 'finish', reason: 'stop' });
    expect((await parts.next()).done).toBe(true);
  });

  test.each([1, 2, 3, 7])(
    'survives being cut into pieces of %i bytes, in the middle of characters',
    async (n) => {
      const words = 'grüße 你好 👩‍🚀 \u2028 "\\n"';
      const server = await serve([{ text: words, writeBytes: n }]);
      expect(await text(open(server.url).stream())).toBe(words);
    },
  );

  test.each([
    ['length', 'length'],
    ['content_filter', 'filtered'],
    ['stop', 'stop'],
  ] as const)('that ended with %s says %s', async (finish, reason) => {
    const server = await serve([{ text: 'x', finish }]);
    expect((await all(open(server.url).stream())).at(-1)).toEqual({ type: 'finish', reason });
  });

  test('with parallel calls gives each whole, however their arguments were cut', async () => {
    const toolCalls = [
      { id: 'a', name: 'weather', arguments: { city: 'Århus' } },
      { id: 'b', name: 'weather', arguments: '{"city": 5' },
      { id: 'c', name: 'no_such_tool', arguments: '{}' },
    ];
    const server = await serve([{ text: 'let me see', toolCalls, deltaLength: 1, writeBytes: 5 }]);
    const parts = await all(open(server.url).stream({ tools: [weather] }));
    expect(parts.filter(({ type }) => type !== 'text')).toEqual([
      { type: 'tool-call', call: { id: 'a', name: 'weather', arguments: '{"city":"Århus"}' } },
      { type: 'tool-call', call: { id: 'b', name: 'weather', arguments: '{"city": 5' } },
      { type: 'tool-call', call: { id: 'c', name: 'no_such_tool', arguments: '{}' } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
  });

  test('with calls ends with tool-calls even where the server says stop', async () => {
    const server = await serve([{ toolCalls: [{ name: 'weather', arguments: {} }], finish: 'stop' }]);
    expect((await all(open(server.url).stream({ tools: [weather] }))).at(-1)).toEqual({
      type: 'finish',
      reason: 'tool-calls',
    });
  });
});

describe('a request', () => {
  test('carries question, history and tools, and nothing that tells who asks', async () => {
    const server = await serve([{ text: 'ok' }]);
    await all(
      open(server.url).stream({
        tools: [weather],
        temperature: 0,
        messages: [
          { role: 'system', text: 'be brief' },
          { role: 'user', text: 'hello' },
          {
            role: 'assistant',
            text: '',
            toolCalls: [
              { id: '1', name: 'weather', arguments: '{"city":"Oslo"}' },
              { id: '2', name: 'weather', arguments: 'not JSON' },
            ],
          },
          { role: 'tool', callId: '1', name: 'weather', text: 'rain' },
          { role: 'tool', callId: '2', name: 'weather', text: 'no JSON' },
          { role: 'system', text: 'be kind' },
        ],
      }),
    );
    const [{ body, headers, path, text: sent }] = server.requests as [(typeof server.requests)[0]];
    expect(path).toBe('/v1/chat/completions');
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toEqual({
      model: 'scripted',
      stream: true,
      max_tokens: 100,
      temperature: 0,
      messages: [
        { role: 'system', content: 'be brief\n\nbe kind' },
        { role: 'user', content: 'hello' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: '1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
            { id: '2', type: 'function', function: { name: 'weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: '1', content: 'rain' },
        { role: 'tool', tool_call_id: '2', content: 'no JSON' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: weather.description, parameters: weather.parameters },
        },
      ],
    });
    expect(JSON.stringify(headers) + sent).not.toContain(accountId);
  });

  test('sends no key where none is configured', async () => {
    const server = await serve([{ text: 'ok' }]);
    await all(open(server.url, { key: undefined }).stream());
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('asks for the schema of the answer, and in words where the server refuses schemas', async () => {
    const responseSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
    const server = await serve([{ text: '{"n":1}' }, { status: 400 }, { text: '{"n":2}' }]);
    const model = open(server.url);
    expect(await text(model.stream({ responseSchema }))).toBe('{"n":1}');
    expect(await text(model.stream({ responseSchema }))).toBe('{"n":2}');
    expect(server.requests.map(({ body }) => body['response_format'])).toEqual([
      expect.objectContaining({
        type: 'json_schema',
        json_schema: expect.objectContaining({ schema: responseSchema }),
      }),
      expect.objectContaining({ type: 'json_schema' }),
      { type: 'json_object' },
    ]);
    expect(server.requests[2]?.body.messages?.[0]?.content).toContain(JSON.stringify(responseSchema));
    expect(model.pauses).toEqual([]);
  });
});

describe('the switches against retention', () => {
  test('are on at OpenAI', async () => {
    const server = await serve([{ text: 'ok' }]);
    await all(open(server.url, { kind: 'openai' }).stream());
    expect(server.requests[0]?.body).toMatchObject({ store: false });
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(Object.keys(server.requests[0]?.body ?? {})).not.toContain('user');
  });
});

describe('other APIs', () => {
  const events = (...data: object[]): { contentType: string; text: string } => ({
    contentType: 'text/event-stream',
    text: data
      .map((one) => `${'type' in one ? `event: ${String(one.type)}\n` : ''}data: ${JSON.stringify(one)}\n\n`)
      .join(''),
  });

  test('Anthropic answers with text and calls, its key in its own header', async () => {
    const body = events(
      {
        type: 'message_start',
        message: {
          id: 'm',
          type: 'message',
          role: 'assistant',
          model: 'x',
          content: [],
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hej' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 't1', name: 'weather', input: {} },
      },
      {
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'input_json_delta', partial_json: '{"city":"Oslo"}' },
      },
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    );
    const server = await serve([{ body }, { status: 401 }]);
    const model = open(server.url, { kind: 'anthropic' });
    expect(await all(model.stream({ tools: [weather] }))).toEqual([
      { type: 'text', text: 'hej' },
      {
        type: 'tool-call',
        call: expect.objectContaining({ id: 't1', name: 'weather', arguments: '{"city":"Oslo"}' }),
      },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    expect(server.requests[0]?.path).toBe('/v1/messages');
    expect(server.requests[0]?.headers['x-api-key']).toBe(KEY);
    expect(await failure(model.stream())).toMatchObject({ code: 'models.refused_key' });
  });

  test('Gemini gets back with its call what it sent along', async () => {
    const call = {
      functionCall: { name: 'weather', args: { city: 'Oslo' } },
      thoughtSignature: 'c2lnbmF0dXJl',
    };
    const answer = (parts: object[]): object => ({
      candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }],
    });
    const server = await serve([
      { body: events(answer([call])) },
      { body: events(answer([{ text: 'rain' }])) },
    ]);
    const model = open(server.url, { kind: 'google', model: 'gemini-3-flash-preview' });
    const [first] = await all(model.stream({ tools: [weather] }));
    if (first?.type !== 'tool-call') throw new Error('no call came');
    expect(first.call).toMatchObject({ name: 'weather', arguments: '{"city":"Oslo"}' });
    const messages = [
      { role: 'user', text: 'weather?' },
      { role: 'assistant', text: '', toolCalls: [first.call] },
      { role: 'tool', callId: first.call.id, name: 'weather', text: 'rain' },
    ] as const;
    expect(await text(model.stream({ tools: [weather], messages }))).toBe('rain');
    expect(server.requests[0]?.headers['x-goog-api-key']).toBe(KEY);
    expect(server.requests[0]?.path).not.toContain(KEY);
    expect(server.requests[1]?.text).toContain('c2lnbmF0dXJl');
  });
});
