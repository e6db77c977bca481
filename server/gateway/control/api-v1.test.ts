import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../../contract/index.ts';
import type { CallRecord } from '../../calls/call-record.ts';
import type { FunctionId } from '../../kernel/ids.ts';
import { MEMBER_KEY, OWNER_KEY, greeter, member, owner } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const MEMBER = { 'x-jf-apikey': MEMBER_KEY };
const api = (path: string, init?: RequestInit): Promise<Response> => running.fetch(`/api/v1${path}`, init);

async function problem(response: Response | Promise<Response>): Promise<Problem> {
  const answer = await response;
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const body = Problem.parse(await answer.json());
  expect(body.status).toBe(answer.status);
  expect(body.type).toBe(`urn:jellyfaas:error:${body.code}`);
  return body;
}

const READ_ROUTES = ['/me', '/api-keys', '/functions/greeter', '/calls', '/runtimes'];

describe('who may call /api/v1', () => {
  it.each(READ_ROUTES)('%s takes a key, a bearer or a token', async (path) => {
    for (const headers of [
      { 'x-jf-apikey': OWNER_KEY },
      { 'x-jf-apikey': '', authorization: `Bearer ${OWNER_KEY}` },
      { jfwt: `token:${OWNER_KEY}` },
    ]) {
      expect((await api(path, { headers: new Headers(Object.entries(headers)) })).status).toBe(200);
    }
  });

  it.each(READ_ROUTES)('%s answers 401 to a bad key and 403 to a bad token', async (path) => {
    const byKey = await problem(api(path, { headers: { 'x-jf-apikey': 'sk_wrong' } }));
    expect(byKey).toMatchObject({ status: 401, code: 'auth.invalid_key', owner: 'caller' });
    const byToken = await problem(api(path, { headers: { jfwt: 'expired' } }));
    expect(byToken).toMatchObject({ status: 403, code: 'auth.invalid_token' });
  });

  it('does not let a good token stand in for a bad key', async () => {
    const headers = { 'x-jf-apikey': 'sk_wrong', jfwt: `token:${OWNER_KEY}` };
    expect((await api('/me', { headers })).status).toBe(401);
  });

  it.each([
    ['POST', '/api-keys'],
    ['DELETE', '/api-keys/key_owner'],
    ['DELETE', '/functions/greeter'],
  ])('%s %s changes something and therefore needs a key', async (method, path) => {
    const response = await api(path, { method, headers: { jfwt: `token:${OWNER_KEY}` } });
    expect(response.status).toBe(401);
  });

  it('answers 404 as a problem to unknown routes and methods', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['PATCH', '/me'],
      ['GET', '/me/'],
    ]) {
      expect(await problem(api(path ?? '', { method: method ?? '' }))).toMatchObject({
        status: 404,
        code: 'request.unknown_route',
      });
    }
  });
});

describe('account', () => {
  it('shows everything that is stored of the account holder', async () => {
    expect(await json(api('/me', { headers: MEMBER }))).toEqual({
      id: member.accountId,
      name: 'mike',
      email: 'mike@example.org',
      role: 'member',
      createdAt: '2026-11-23T10:00:00Z',
      updatedAt: '2026-11-23T10:00:00Z',
    });
  });

  it('creates, lists and revokes keys; a revoked key is nobody', async () => {
    const created = await api('/api-keys', { method: 'POST' });
    expect(created.status).toBe(201);
    const { id, apiKey } = await json(created);
    expect(apiKey).toBe('sk_second');
    expect(await json(api('/api-keys'))).toMatchObject({
      apiKeys: [
        { id: owner.keyId, current: true },
        { id, current: false },
      ],
    });
    const revoked = await api(`/api-keys/${String(id)}`, { method: 'DELETE' });
    expect([revoked.status, await revoked.text()]).toEqual([204, '']);
    expect((await api('/me', { headers: { 'x-jf-apikey': 'sk_second' } })).status).toBe(401);
  });

  it('revokes no key of another account, and not the last one', async () => {
    const foreign = await problem(api(`/api-keys/${member.keyId}`, { method: 'DELETE' }));
    expect(foreign).toMatchObject({ status: 404, code: 'api_key.not_found' });
    const last = await problem(api(`/api-keys/${owner.keyId}`, { method: 'DELETE' }));
    expect(last).toMatchObject({ status: 409, code: 'accounts.last_key' });
  });
});

describe('functions', () => {
  it('shows a function with versions, URLs, statistics in whole milliseconds, and where its data may go', async () => {
    expect(await json(api('/functions/greeter'))).toMatchObject({
      shortname: 'greeter',
      mine: true,
      versions: [
        {
          version: 2,
          runtime: 'nodejs24',
          runtimeDetail: 'Node 24.21.0',
          egress: ['api.example.com'],
          deployments: [{ size: 's', url: `${running.url}/greeter-d4hq7r3c1ab2cd3ef4gh-2-s` }],
          statistics: { invocations: 3, failures: 1, avgDurationMs: 5 },
        },
      ],
    });
  });

  it('answers the 404 of nothing there for another account’s private function', async () => {
    const hidden = await problem(api('/functions/greeter', { headers: MEMBER }));
    const absent = await problem(api('/functions/nothing'));
    expect(hidden).toEqual(absent);
  });

  it('deletes a version or the whole function, for its owner only', async () => {
    const remove = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
      api(`/functions/${path}`, { method: 'DELETE', headers });
    expect((await remove('greeter', MEMBER)).status).toBe(404);
    expect((await remove('greeter?version=7')).status).toBe(404);
    expect((await remove('greeter?version=2')).status).toBe(204);
    expect((await remove('greeter')).status).toBe(404);
  });

  it.each([
    'version=0',
    'version=',
    'version=x',
    'version=1.5',
    'version=1e99',
    'version=1&version=2',
    'v=1',
  ])('deletes nothing for the query %s', async (query) => {
    const answer = await problem(api(`/functions/greeter?${query}`, { method: 'DELETE' }));
    expect(answer).toMatchObject({ status: 400, code: 'request.invalid' });
    expect(answer.errors?.length).toBeGreaterThan(0);
    expect(running.fakes.functions.stored.has('greeter')).toBe(true);
  });
});

describe('calls', () => {
  const row = (over: Partial<CallRecord> = {}): CallRecord => ({
    accountId: owner.accountId,
    functionId: 'fn_greeter' as FunctionId,
    version: 2,
    originIp: '192.0.2.1',
    durationMs: 12,
    ok: true,
    ...over,
  });
  const wire = (day: string): object => ({
    day,
    shortname: 'greeter',
    functionId: 'fn_greeter',
    version: 2,
    originIp: '192.0.2.1',
    durationMs: 12,
    ok: true,
  });

  beforeEach(() => {
    const { rows } = running.fakes.calls;
    rows.set('2026-11-23', [row(), row({ accountId: member.accountId })]);
    rows.set('2026-11-22', [row(), row({ functionId: 'fn_gone' as FunctionId })]);
  });

  it('lists today’s own rows by default', async () => {
    expect(await json(api('/calls'))).toEqual({ calls: [wire('2026-11-23')], truncated: false });
  });

  it('goes back from a day, newest first, and names only functions that are still visible', async () => {
    const { shortname: _, ...gone } = wire('2026-11-22') as Record<string, unknown>;
    expect(await json(api('/calls?day=2026-11-23&days=31'))).toEqual({
      calls: [wire('2026-11-23'), wire('2026-11-22'), { ...gone, functionId: 'fn_gone' }],
      truncated: false,
    });
    expect(await json(api('/calls?day=2026-11-22'))).toMatchObject({ calls: [{}, {}] });
  });

  it('narrows to one visible function', async () => {
    expect(await json(api('/calls?days=2&function=greeter'))).toEqual({
      calls: [wire('2026-11-23'), wire('2026-11-22')],
      truncated: false,
    });
    expect((await api('/calls?function=nothing')).status).toBe(404);
    expect((await api('/calls?function=greeter', { headers: MEMBER })).status).toBe(404);
  });

  it('shows a caller the rows of his own calls to a published function of another', async () => {
    running.fakes.functions.stored.set('greeter', greeter({ published: true }));
    expect(await json(api('/calls?days=2', { headers: MEMBER }))).toEqual({
      calls: [wire('2026-11-23')],
      truncated: false,
    });
  });

  it('never answers more than 5,000 rows, and says so', async () => {
    running.fakes.calls.rows.set(
      '2026-11-23',
      Array.from({ length: 5000 }, () => row()),
    );
    const exact = (await json(api('/calls'))) as { calls: unknown[]; truncated: boolean };
    expect([exact.calls.length, exact.truncated]).toEqual([5000, false]);
    const more = (await json(api('/calls?days=2'))) as { calls: unknown[]; truncated: boolean };
    expect([more.calls.length, more.truncated]).toEqual([5000, true]);
  });

  it.each(['days=0', 'days=32', 'days=x', 'day=23.11.2026', 'day=2026-02-30', 'function=', 'dayz=1'])(
    'answers 400 to the query %s',
    async (query) => {
      expect(await problem(api(`/calls?${query}`))).toMatchObject({ status: 400, code: 'request.invalid' });
    },
  );
});

describe('call statistics', () => {
  const rows = (over: Partial<CallRecord>, durations: readonly number[]): CallRecord[] =>
    durations.map((durationMs) => ({
      accountId: owner.accountId,
      functionId: 'fn_greeter' as FunctionId,
      version: 2,
      originIp: '192.0.2.1',
      durationMs,
      ok: true,
      ...over,
    }));

  it('count the caller’s own calls by day, days without any included, and rank how long they took', async () => {
    const upTo100 = Array.from({ length: 100 }, (_, index) => index + 1);
    running.fakes.calls.rows.set('2026-11-21', rows({ ok: false }, upTo100.slice(0, 50)));
    running.fakes.calls.rows.set('2026-11-23', [
      ...rows({}, upTo100.slice(50)),
      ...rows({ accountId: member.accountId }, [9999]),
    ]);
    expect(await json(api('/calls/statistics?days=3'))).toEqual({
      days: [
        { day: '2026-11-21', calls: 50, failures: 50 },
        { day: '2026-11-22', calls: 0, failures: 0 },
        { day: '2026-11-23', calls: 50, failures: 0 },
      ],
      durationMs: { p50: 50, p95: 95, p99: 99 },
    });
  });

  it('narrow to one visible function, and have no durations without calls', async () => {
    running.fakes.calls.rows.set('2026-11-23', rows({ functionId: 'fn_other' as FunctionId }, [5]));
    expect(await json(api('/calls/statistics?function=greeter'))).toEqual({
      days: [{ day: '2026-11-23', calls: 0, failures: 0 }],
      durationMs: null,
    });
    expect((await api('/calls/statistics?function=greeter', { headers: MEMBER })).status).toBe(404);
  });
});

describe('runtimes', () => {
  it('tells what serves each and what to install', async () => {
    expect(await json(api('/runtimes'))).toEqual({
      runtimes: [
        { id: 'nodejs24', available: true, detail: 'Node 24.21.0' },
        { id: 'java21', available: false, detail: 'Install a JDK 17 or newer.' },
      ],
    });
  });
});
