import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MEMBER_KEY, OWNER_KEY, greeter } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const MEMBER = { 'x-jf-apikey': MEMBER_KEY };
const core = (path: string, init?: RequestInit): Promise<Response> =>
  running.fetch(`/core-service/v1${path}`, init);
const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  core(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

const ROUTES: [string, string][] = [
  ['GET', '/auth-service/v1/validate'],
  ['GET', '/auth-service/v1/lookup?id=greeter'],
  ['GET', '/core-service/v1/entity'],
  ['POST', '/core-service/v1/entity'],
  ['GET', '/core-service/v1/library'],
  ['GET', '/core-service/v1/library/greeter'],
  ['PUT', '/core-service/v1/library/publish/greeter'],
  ['PUT', '/core-service/v1/library/withdraw/greeter'],
  ['POST', '/core-service/v1/upload'],
  ['GET', '/core-service/v1/upload/bld_1/greeter'],
  ['GET', '/core-service/v1/badbuilds'],
  ['DELETE', '/core-service/v1/badbuilds?id=bld_bad'],
  ['GET', '/core-service/v1/exists?name=greeter'],
];

describe('every compatible route', () => {
  it.each(ROUTES)('%s %s answers 401 in the compatible shape without a live key', async (method, path) => {
    for (const headers of [
      { 'x-jf-apikey': 'sk_revoked' },
      { 'x-jf-apikey': '' },
      { jfwt: `token:${OWNER_KEY}` },
      { authorization: 'Basic c2s6' },
    ]) {
      const response = await fetch(`${running.url}${path}`, {
        method,
        headers: new Headers(Object.entries(headers)),
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({
        errorId: 'auth.invalid_key',
        errorMessage: expect.stringContaining('x-jf-apikey'),
      });
      expect(response.headers.get('content-type')).toContain('application/json');
    }
  });

  it.each(ROUTES.filter(([method]) => method !== 'POST'))(
    '%s %s tolerates a JSON content type with nothing behind it',
    async (method, path) => {
      const response = await running.fetch(path, {
        method,
        headers: { 'content-type': 'application/json', 'content-length': '0' },
      });
      expect(response.status).toBe(200);
    },
  );

  it('takes the key by its old header name and as a bearer', async () => {
    const path = `${running.url}/core-service/v1/library`;
    expect((await fetch(path, { headers: { 'x-p48-apikey': OWNER_KEY } })).status).toBe(200);
    expect((await fetch(path, { headers: { authorization: `Bearer ${OWNER_KEY}` } })).status).toBe(200);
  });
});

describe('auth-service', () => {
  it('exchanges a key for a token with an expiry in whole seconds', async () => {
    expect(await json(running.fetch('/auth-service/v1/validate'))).toEqual({
      token: `token:${OWNER_KEY}`,
      expiry: '2026-11-24T10:00:00Z',
    });
  });

  it('looks up the newest or the given version, and tolerates what old clients add', async () => {
    for (const query of ['', '&version=2', '&version=', '&size=s&version=2']) {
      const response = await running.fetch(`/auth-service/v1/lookup?id=greeter${query}`);
      expect(response.status).toBe(200);
      expect(await json(response)).toMatchObject({ dns: `${running.url}/greeter-d4hq7r3c1ab2cd3ef4gh-2-s` });
    }
  });

  it('answers 404 to a lookup of nothing, of an absent version and of another account', async () => {
    expect((await running.fetch('/auth-service/v1/lookup?id=nothing')).status).toBe(404);
    expect((await running.fetch('/auth-service/v1/lookup?id=greeter&version=9')).status).toBe(404);
    expect((await running.fetch('/auth-service/v1/lookup?id=greeter', { headers: MEMBER })).status).toBe(404);
  });

  it.each(['', '?id=', '?id=greeter&version=0', '?id=greeter&version=x', '?id=greeter&id=other'])(
    'answers 400 to the lookup query %s',
    async (query) => {
      const response = await running.fetch(`/auth-service/v1/lookup${query}`);
      expect(response.status).toBe(400);
      expect(await json(response)).toMatchObject({ errorId: 'request.invalid' });
    },
  );
});

describe('entities', () => {
  it('creates a user under either spelling of the e-mail key and shows its API key as the password', async () => {
    const slip = await post('/entity', '{"type":"user","name":"Ann","email ":"ann@example.org"}');
    expect(slip.status).toBe(201);
    expect(await json(slip)).toEqual({ password: 'sk_new' });
    expect((await post('/entity', '{"type":"user","name":"Bob","email":"bob@example.org"}')).status).toBe(
      201,
    );
    const { entities } = (await json(core('/entity'))) as { entities: unknown[] };
    expect(entities).toHaveLength(4);
    expect(entities[2]).toEqual({
      name: 'Ann',
      email: 'ann@example.org',
      createdAt: '2026-11-23T10:00:00Z',
      updatedAt: '2026-11-23T10:00:00Z',
    });
  });

  it('lets only the owner list and create', async () => {
    const refused = [
      await core('/entity', { headers: MEMBER }),
      await post('/entity', '{"name":"Eve","email":"eve@example.org"}', MEMBER),
    ];
    for (const response of refused) {
      expect(response.status).toBe(403);
      expect(await json(response)).toMatchObject({ errorId: 'accounts.owner_only' });
    }
  });

  it.each([
    ['{"type":"user","name":"Ann"}', 400, 'request.invalid'],
    ['{"type":"user","name":"Ann","email":"no address"}', 400, 'request.invalid'],
    ['{"type":"robot","name":"Ann","email":"ann@example.org"}', 400, 'request.invalid'],
    ['{"type":"user","name":"","email":"ann@example.org"}', 400, 'request.invalid'],
    ['[]', 400, 'request.invalid'],
    ['', 400, 'request.invalid'],
    ['{"name":', 400, 'request.invalid_json'],
    ['{"__proto__":{"name":"Ann"},"email":"ann@example.org"}', 400, 'request.invalid'],
    ['{"name":"Ann","email":"olga@example.org"}', 409, 'accounts.email_taken'],
  ])('refuses the body %s with %i %s', async (body, status, errorId) => {
    const response = await post('/entity', body);
    expect(response.status).toBe(status);
    expect(await json(response)).toEqual({ errorId, errorMessage: expect.any(String) });
  });

  it('refuses a body beyond 1 MiB', async () => {
    const response = await post('/entity', JSON.stringify({ name: 'x'.repeat(1024 * 1024) }));
    expect(response.status).toBe(413);
    expect(await json(response)).toMatchObject({ errorId: 'request.body_too_large' });
  });

  it('says which field of a body is wrong', async () => {
    const { errorMessage } = await json(post('/entity', '{"type":"user","name":"Ann"}'));
    expect(errorMessage).toContain('/email: Required');
  });

  it('refuses a body of another media type', async () => {
    const response = await post('/entity', 'name=Ann', { 'content-type': 'text/plain' });
    expect(response.status).toBe(415);
    expect(await json(response)).toMatchObject({ errorId: 'request.unsupported_media_type' });
  });
});

describe('library', () => {
  it('lists functions, bad builds and tags', async () => {
    const library = await json(core('/library'));
    expect(library).toMatchObject({ count: 1, uniqueTags: ['api', 'template'] });
    expect(library['libraryItem']).toEqual([
      expect.objectContaining({ functionId: 'greeter', versions: 1, lastRelease: '2026-11-23T10:00:00Z' }),
    ]);
    expect(library['badBuilds']).toEqual([expect.objectContaining({ buildId: 'bld_bad' })]);
  });

  it('shows an account nothing of another but what is published', async () => {
    expect(await json(core('/library', { headers: MEMBER }))).toMatchObject({ count: 0, badBuilds: [] });
    expect((await core('/library/greeter', { headers: MEMBER })).status).toBe(404);
    running.fakes.functions.stored.set('greeter', greeter({ published: true }));
    expect(await json(core('/library', { headers: MEMBER }))).toMatchObject({ count: 1 });
    expect((await core('/library/greeter', { headers: MEMBER })).status).toBe(200);
  });

  it('publishes and withdraws for the owner of a function only', async () => {
    expect((await core('/library/publish/greeter', { method: 'PUT', headers: MEMBER })).status).toBe(404);
    expect(await json(core('/library/publish/greeter', { method: 'PUT' }))).toMatchObject({
      published: true,
    });
    expect(await json(core('/library/withdraw/greeter', { method: 'PUT' }))).toMatchObject({
      published: false,
    });
    expect((await core('/library/publish/nothing', { method: 'PUT' })).status).toBe(404);
  });

  it('gives the same 404 for nothing there and not visible', async () => {
    const hidden = await (await core('/library/greeter', { headers: MEMBER })).text();
    const absent = await (await core('/library/nothing')).text();
    expect(hidden).toBe(absent);
  });
});

describe('builds', () => {
  it('lists and cleans own bad builds only', async () => {
    expect(await json(core('/badbuilds'))).toEqual({
      count: 1,
      badBuilds: [
        {
          createdAt: '2026-11-23T10:00:00Z',
          buildId: 'bld_bad',
          name: 'Broken',
          functionId: 'broken',
          errorDetails: 'SyntaxError',
        },
      ],
    });
    expect(await json(core('/badbuilds', { headers: MEMBER }))).toEqual({ count: 0, badBuilds: [] });
    expect((await core('/badbuilds?id=bld_bad', { method: 'DELETE', headers: MEMBER })).status).toBe(404);
    expect(await json(core('/badbuilds?id=bld_bad', { method: 'DELETE' }))).toEqual({
      buildId: 'bld_bad',
      functions: ['broken'],
    });
    expect((await core('/badbuilds', { method: 'DELETE' })).status).toBe(400);
  });

  it('tells the status of own deploys only', async () => {
    expect(await json(core('/upload/bld_1/greeter'))).toEqual({ status: 'DEPLOYED' });
    expect((await core('/upload/bld_1/greeter', { headers: MEMBER })).status).toBe(404);
    expect((await core('/upload/bld_9/greeter')).status).toBe(404);
  });
});

describe('exists', () => {
  it.each([
    ['greeter', 'greeter', true],
    ['greeter&x', 'greeter&x', false],
    ['green+ter', 'green+ter', false],
    ['50%', '50%', false],
    ['gr%65eter', 'greeter', true],
  ])('takes the unescaped name %s whole', async (query, functionName, exists) => {
    const answer = await running.raw(
      `GET /core-service/v1/exists?name=${query} HTTP/1.1\r\nHost: x\r\nx-jf-apikey: ${OWNER_KEY}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({ functionName, exists });
  });

  it('answers 400 without a name', async () => {
    expect((await core('/exists')).status).toBe(400);
    expect((await core('/exists?name=')).status).toBe(400);
  });
});
