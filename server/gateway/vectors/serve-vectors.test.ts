import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UploadEvent, VectorAnswerEvent } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { OWNER_KEY, owner } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { ANSWER, HITS } from './testing/fake-vectors.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const TOKEN = { jfwt: `token:${OWNER_KEY}` };

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: 'POST', body: JSON.stringify(body) };
  return running.fetch(path, { ...init, headers: { 'content-type': 'application/json', ...headers } });
}

type Part = readonly [name: string, value: string | Blob, fileName?: string];

function send(path: string, parts: readonly Part[], headers: Record<string, string> = {}): Promise<Response> {
  const form = new FormData();
  for (const [name, value, fileName] of parts)
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, fileName);
  return running.fetch(path, { method: 'POST', body: form, headers });
}

const FILE: Part = ['file', new Blob(['All about pumps.'], { type: 'text/plain' }), 'pumps.txt'];

function eventsOf<E>(text: string, schema: { parse(value: unknown): E }): E[] {
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => schema.parse(JSON.parse(data)));
}

describe('the public clients’ embedder', () => {
  it('takes a file, makes the collection on the way, and tells how far it is', async () => {
    const response = await send('/embedder-service/v1/upload?collection_name=news', [FILE], TOKEN);
    expect([response.status, await json(response)]).toEqual([202, { upload_id: 'upl_1' }]);
    expect(running.fakes.vectors.asked.map(({ method, what }) => [method, what])).toEqual([
      ['create', { name: 'news', kind: 'sealed', metric: 'cosine' }],
      ['upload', 'news'],
    ]);
    expect(running.fakes.vectors.received?.text).toBe('All about pumps.');
    const status = await running.fetch('/embedder-service/v1/status?upload_id=upl_1', { headers: TOKEN });
    expect([status.status, await json(status)]).toEqual([200, { status: 'completed' }]);
  });

  it('leaves a collection that exists as it is', async () => {
    await send('/embedder-service/v1/upload?collection_name=manuals', [FILE], TOKEN);
    expect(running.fakes.vectors.asked.map(({ method }) => method)).toEqual(['upload']);
  });

  it.each(['failed', 'interrupted'] as const)('ends the wait for an upload that %s', async (status) => {
    const error = { code: 'documents.damaged', message: 'It is damaged.' };
    running.fakes.vectors.state = { ...running.fakes.vectors.state, status, error };
    const response = await running.fetch('/embedder-service/v1/status?upload_id=upl_1', { headers: TOKEN });
    expect(response.status).toBe(409);
    expect(await json(response)).toEqual({
      errorId: 'documents.damaged',
      errorMessage: 'It is damaged.',
    });
  });

  it.each([
    ['/embedder-service/v1/upload?collection_name=news', 'POST'],
    ['/embedder-service/v1/status?upload_id=upl_1', 'GET'],
    ['/query-service/v1/vectordb', 'POST'],
  ])('refuses %s without a token', async (path, method) => {
    const response = await fetch(`${running.url}${path}`, { method, headers: { 'x-jf-apikey': OWNER_KEY } });
    expect(response.status).toBe(403);
    expect(await json(response)).toMatchObject({ errorId: 'auth.invalid_token' });
  });
});

describe('the public clients’ question to a collection', () => {
  const ask = (body: object): Promise<Response> => post('/query-service/v1/vectordb', body, TOKEN);

  it('is answered with `answer`, and searched by `rag_query` if there is one', async () => {
    const question = { query: 'Which valve?', vector_mongo_collection: 'manuals' };
    const response = await ask({ ...question, rag_query: 'valve', ai_platform: 'gemini', extra: 1 });
    expect([response.status, (await json(response))['answer']]).toEqual([200, ANSWER.answer]);
    await ask({ ...question, rag_query: null, vector_mongo_connection_string: '' });
    expect(running.fakes.vectors.asked.map(({ what }) => what)).toEqual([
      { question: 'Which valve?', retrievalText: 'valve', topK: 6, platform: 'gemini' },
      { question: 'Which valve?', retrievalText: undefined, topK: 6, platform: undefined },
    ]);
    expect(running.fakes.vectors.asked[0]?.asker).toMatchObject({ principal: owner, originIp: '192.0.2.1' });
  });

  it('with a MongoDB of its own is refused, and the connection string is not repeated', async () => {
    const response = await ask({
      query: 'Which valve?',
      vector_mongo_collection: 'manuals',
      vector_mongo_connection_string: 'mongodb://CANARY',
    });
    const body = await json(response);
    expect([response.status, body['errorId']]).toEqual([400, 'vectors.no_mongo']);
    expect(JSON.stringify(body) + running.fakes.log.join('')).not.toContain('CANARY');
  });
});

describe('databases', () => {
  it.each([
    [{}],
    [{ name: 'a', kind: 'open' }],
    [{ name: 'a', dimensions: 0 }],
    [{ name: 'a', dimensions: 5000 }],
    [{ name: 'a', resolver: 'f' }],
    [{ name: 'a', metric: 'manhattan' }],
    [{ name: 'a', surprise: 1 }],
  ])('are not made from %j', async (body) => {
    expect(await json(post('/api/v1/vectors', body))).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('answer their drop with the receipt, and are gone', async () => {
    const dropped = await running.fetch('/api/v1/vectors/manuals', { method: 'DELETE' });
    expect(await json(dropped)).toEqual({ id: 'db_00000000000000000001', receipt: 'a.b.c' });
    expect((await running.fetch('/api/v1/vectors/manuals')).status).toBe(404);
  });
});

describe('records', () => {
  const path = '/api/v1/vectors/manuals';

  it('may come in a body that is larger than others may be', async () => {
    const vector = Array.from({ length: 4096 }, (_, at) => at / 3);
    const records = Array.from({ length: 30 }, (_, at) => ({ id: `r${at}`, vector }));
    expect(JSON.stringify({ records }).length).toBeGreaterThan(1_048_576);
    expect(await json(post(`${path}/records`, { records }))).toEqual({ inserted: 30, updated: 0 });
  });

  it.each([
    ['records', { records: [] }],
    ['records', { records: [{ id: '', vector: [1] }] }],
    ['records', { records: [{ id: 'a', vector: ['1'] }] }],
    ['records', { records: [{ id: 'a', text: 'b', metadata: { $document: 'c' } }] }],
    ['records', { records: [{ id: 'a', text: 'b', metadata: { nested: {} } }] }],
    ['records', { records: [{ id: 'a', text: 'x'.repeat(20_001) }] }],
    ['delete', {}],
    ['delete', { ids: ['a'], filter: {} }],
    ['delete', { filter: { year: { like: 'x' } } }],
    ['query', {}],
    ['query', { text: 'a', topK: 1001 }],
    ['query', { vector: [] }],
    ['ask', { question: '' }],
    ['ask', { question: 'a', topK: 51 }],
  ])('are refused at %s as %j', async (door, body) => {
    const response = await post(`${path}/${door}`, body);
    expect([response.status, (await json(response))['code']]).toEqual([400, 'request.invalid']);
    expect(running.fakes.vectors.asked).toEqual([]);
  });

  it('are found with all that was asked', async () => {
    const query = { text: 'valve', vector: [1, 2], topK: 3, filter: { year: { gte: 2020 } }, minScore: 0.5 };
    expect(await json(post(`${path}/query`, query))).toEqual(HITS);
    expect(running.fakes.vectors.asked[0]?.what).toEqual({ ...query, mode: 'hybrid', rerank: false });
  });
});

describe('questions', () => {
  const ask = (headers?: Record<string, string>): Promise<Response> =>
    post('/api/v1/vectors/manuals/ask', { question: 'Which valve?' }, headers);
  const streamed = { accept: 'text/event-stream' };

  it('are answered at once, or streamed and then answered', async () => {
    expect(await json(ask())).toEqual(ANSWER);
    running.fakes.vectors.answer = async (onText) => {
      onText('Close ');
      onText('it. [1]');
      return ANSWER;
    };
    expect(eventsOf(await (await ask(streamed)).text(), VectorAnswerEvent)).toEqual([
      { type: 'text', text: 'Close ' },
      { type: 'text', text: 'it. [1]' },
      { type: 'answer', ...ANSWER },
      { type: 'done' },
    ]);
  });

  it('that fail tell so as an event, without anything of the question', async () => {
    running.fakes.vectors.answer = () => Promise.reject(new Error('CANARY question'));
    const text = await (await ask(streamed)).text();
    expect(eventsOf(text, VectorAnswerEvent).map(({ type }) => type)).toEqual(['error', 'done']);
    expect(text + running.fakes.log.join('')).not.toContain('CANARY');
  });

  it.each([{}, streamed])('are called off when their client leaves (%j)', async (headers) => {
    const asked = Promise.withResolvers<AbortSignal>();
    running.fakes.vectors.answer = (_onText, signal) => {
      asked.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))));
    };
    const leave = new AbortController();
    const response = running
      .fetch('/api/v1/vectors/manuals/ask', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"question":"What?"}',
        signal: leave.signal,
      })
      .catch(() => undefined);
    const signal = await asked.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    leave.abort();
    await aborted;
    await response;
  });

  it('of one account are bounded', async () => {
    await running.gateway.close(1000);
    running = await startGateway({ limits: { queriesPerAccountMax: 1 } });
    const started = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    running.fakes.vectors.answer = async () => {
      started.resolve();
      await end.promise;
      return ANSWER;
    };
    const first = ask();
    await started.promise;
    expect(await json(ask())).toMatchObject({ status: 429, code: 'vectors.too_many_requests' });
    end.resolve();
    expect((await first).status).toBe(200);
  });
});

describe('a document', () => {
  const path = '/api/v1/vectors/manuals/documents';

  it('arrives with its fields', async () => {
    const metadata = { year: 2026, draft: false };
    const fields: Part[] = [['documentId', 'handbook'], ['metadata', JSON.stringify(metadata)], FILE];
    const response = await send(path, fields);
    expect([response.status, await json(response)]).toEqual([
      202,
      { uploadId: 'upl_1', documentId: 'handbook' },
    ]);
    expect(running.fakes.vectors.received).toEqual({
      text: 'All about pumps.',
      document: { documentId: 'handbook', metadata, fileName: 'pumps.txt', mediaType: 'text/plain' },
    });
  });

  it('is read while it still arrives', async () => {
    const reading = Promise.withResolvers<string>();
    const upload = running.fakes.vectors.service;
    Object.assign(upload, {
      async upload(...[, , { content }]: Parameters<typeof upload.upload>) {
        for await (const chunk of content) reading.resolve(Buffer.from(chunk).toString('utf8'));
        return { uploadId: 'upl_1', documentId: 'd' };
      },
    });
    const headers = { 'x-jf-apikey': OWNER_KEY, 'content-type': 'multipart/form-data; boundary=b' };
    const status = Promise.withResolvers<number | undefined>();
    const outgoing = httpRequest(`${running.url}${path}`, { method: 'POST', headers }, (answer) =>
      status.resolve(answer.resume().statusCode),
    );
    const padding = 'x'.repeat(1000);
    outgoing.write(
      `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nbegin${padding}`,
    );
    expect(await reading.promise).toContain('begin');
    outgoing.end('end\r\n--b--\r\n');
    expect(await status.promise).toBe(202);
  });

  it.each<[string, Part[], string]>([
    ['no file', [['documentId', 'a']], 'upload.no_file'],
    ['a file of another name', [['document', new Blob(['x']), 'x.txt']], 'upload.no_file'],
    ['fields after the file', [FILE, ['documentId', 'a']], 'upload.field_after_file'],
    ['two files', [FILE, FILE], 'upload.too_many_parts'],
    ['an unknown field', [['title', 'CANARY'], FILE], 'request.invalid'],
    ['metadata that is no JSON', [['metadata', 'CANARY'], FILE], 'request.invalid'],
    ['metadata that is nested', [['metadata', '{"a":{}}'], FILE], 'request.invalid'],
  ])('is refused with %s', async (_what, parts, code) => {
    const response = await send(path, parts);
    const body = await json(response);
    expect([response.status, body['code']]).toEqual([400, code]);
    expect(JSON.stringify(body) + running.fakes.log.join('')).not.toContain('CANARY');
  });

  it('that the service refuses is answered with its reason', async () => {
    running.fakes.vectors.refusal = new PlatformError({
      kind: 'unsupported_media',
      code: 'documents.unsupported',
      message: 'No.',
    });
    expect(await json(send(path, [FILE]))).toMatchObject({ status: 415, code: 'documents.unsupported' });
  });

  it('is no upload when it is no multipart body', async () => {
    expect(await json(post(path, {}))).toMatchObject({ status: 415, code: 'upload.not_multipart' });
  });

  it('gives its text without being kept', async () => {
    expect(await json(send('/api/v1/documents/text', [FILE]))).toEqual({ text: 'the text' });
  });

  it('is deleted by its id, whatever stands in it', async () => {
    const id = 'a/b c%';
    const deleted = await running.fetch(`${path}/${encodeURIComponent(id)}`, { method: 'DELETE' });
    expect(deleted.status).toBe(204);
    expect(running.fakes.vectors.asked[0]?.what).toBe(id);
  });
});

describe('an upload', () => {
  it('is watched to its end', async () => {
    const response = await running.fetch('/api/v1/uploads/upl_1', {
      headers: { accept: 'text/event-stream' },
    });
    const events = eventsOf(await response.text(), UploadEvent);
    expect(events.map((event) => ('status' in event ? event.status : event.type))).toEqual([
      'embedding',
      'completed',
      'done',
    ]);
  });

  it('that is not there is 404, watched or not', async () => {
    for (const accept of ['application/json', 'text/event-stream'])
      expect((await running.fetch('/api/v1/uploads/upl_2', { headers: { accept } })).status).toBe(404);
  });
});
