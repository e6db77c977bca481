import { beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Deployed,
  createClient,
  fixtureFiles,
  templateFiles,
  zip,
} from '../testkit/index.ts';

/** What the public clients rely on, endpoint by endpoint (wire protocol sections 2, 3 and 5), over plain HTTP. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

let other: Client;
let greeter: Deployed;

async function json(response: Promise<Response> | Response): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}

/** Public clients put `Content-Type: application/json` on requests without a body. */
function withKey(key = apiKey): RequestInit {
  return { headers: { 'x-jf-apikey': key, 'content-type': 'application/json' } };
}

beforeAll(async () => {
  const created = await json(
    owner.core(
      'POST',
      '/entity',
      JSON.stringify({ type: 'user', name: 'Other', 'email ': 'other@example.org' }),
    ),
  );
  other = createClient(url, String(created['password']));
  greeter = await owner.deploy('accgreeter', templateFiles('nodejs24', { shortname: 'accgreeter' }));
});

describe('auth-service', () => {
  it('exchanges a key for a token with a whole-second UTC expiry within 24 hours', async () => {
    const response = await fetch(`${url}/auth-service/v1/validate`, withKey());
    expect(response.status).toBe(200);
    const answer = await json(response);
    expect(String(answer['token']).length).toBeGreaterThan(100);
    expect(answer['expiry']).toMatch(RFC3339);
    expect(Date.parse(String(answer['expiry'])) - Date.now()).toBeLessThanOrEqual(24 * 3_600_000);
  });

  it('answers 401 in the compatible shape to a bad, a missing and an absurd key', async () => {
    for (const key of ['sk_wrongwrongwrongwrongwrong', '', 'x'.repeat(5000)]) {
      const response = await fetch(`${url}/auth-service/v1/validate`, withKey(key));
      expect(response.status).toBe(401);
      expect(await json(response)).toEqual({ errorId: expect.any(String), errorMessage: expect.any(String) });
    }
  });

  it('accepts the old header names', async () => {
    const response = await fetch(`${url}/auth-service/v1/validate`, { headers: { 'x-p48-apikey': apiKey } });
    expect(response.status).toBe(200);
    const called = await fetch(`${url}/${greeter.deploymentId}?name=foo`, {
      headers: { p48wt: String((await json(response))['token']) },
    });
    expect(called.status).toBe(200);
  });

  it('looks a function up in the form that both SDKs accept', async () => {
    const response = await fetch(`${url}/auth-service/v1/lookup?id=accgreeter`, withKey());
    expect(response.status).toBe(200);
    const { dns, requirements } = (await response.json()) as {
      dns: string;
      requirements: Record<string, unknown>;
    };
    expect(dns).toBe(greeter.url);
    expect(dns).not.toContain('?');
    expect(requirements).toMatchObject({ requestType: 'GET', inputType: 'NONE', outputType: 'JSON' });
    expect(requirements['queryParams']).toEqual([expect.objectContaining({ name: 'name', required: true })]);
    const schema = JSON.parse(atob(String(requirements['outputSchemaEncoded']))) as { type: string };
    expect(schema.type).toBe('object');
    expect(Object.values(requirements)).not.toContain(null);
  });

  it('answers 404 to the lookup of an unknown name, an unknown version and another account', async () => {
    for (const query of ['id=nothingthere', 'id=accgreeter&version=99']) {
      expect((await fetch(`${url}/auth-service/v1/lookup?${query}`, withKey())).status).toBe(404);
    }
    expect((await fetch(`${url}/auth-service/v1/lookup?id=accgreeter`, withKey(other.apiKey))).status).toBe(
      404,
    );
  });
});

describe('core-service', () => {
  it('creates a user with the trailing-space key of the public command line and shows the secret once', async () => {
    const response = await owner.core(
      'POST',
      '/entity',
      JSON.stringify({ type: 'user', name: 'A', 'email ': 'a@example.org' }),
    );
    expect(response.status).toBe(201);
    const { password } = await json(response);
    expect((await fetch(`${url}/auth-service/v1/validate`, withKey(String(password)))).status).toBe(200);
    const listed = (await json(owner.core('GET', '/entity'))) as { entities: Record<string, unknown>[] };
    const entry = listed.entities.find((entity) => entity['email'] === 'a@example.org');
    expect(entry).toMatchObject({
      name: 'A',
      createdAt: expect.stringMatching(RFC3339),
      updatedAt: expect.stringMatching(RFC3339),
    });
    expect(JSON.stringify(listed)).not.toContain(String(password));
  });

  it('lets only the owner create and list users', async () => {
    expect((await other.core('GET', '/entity')).status).toBe(403);
    expect(
      (await other.core('POST', '/entity', '{"type":"user","name":"x","email":"x@example.org"}')).status,
    ).toBe(403);
  });

  it('lists the library with integers, zoned times and padded base64', async () => {
    const { count, libraryItem, badBuilds } = (await json(owner.core('GET', '/library'))) as {
      count: number;
      libraryItem: Record<string, unknown>[];
      badBuilds: unknown[];
    };
    expect(count).toBe(libraryItem.length);
    expect(Array.isArray(badBuilds)).toBe(true);
    const item = libraryItem.find(({ functionId }) => functionId === 'accgreeter');
    expect(item).toMatchObject({ versions: 1, active: true, published: false, ai: expect.any(Boolean) });
    expect(item?.['lastRelease']).toMatch(RFC3339);
    expect(Buffer.from(String(item?.['readmeFile']), 'base64').toString()).toContain('#');
    const sizes = (item?.['sizes'] ?? []) as { invocationCount: number; avgResponseTime: number }[];
    expect(sizes).toHaveLength(1);
    for (const size of sizes) {
      expect(Number.isInteger(size.invocationCount) && Number.isInteger(size.avgResponseTime)).toBe(true);
    }
  });

  it('gives details with versions, requirements, changelog and samples', async () => {
    const details = (await json(owner.core('GET', '/library/accgreeter'))) as {
      versions: Record<string, unknown>[];
    } & Record<string, unknown>;
    expect(details).toMatchObject({ functionId: 'accgreeter', versionCount: 1 });
    const version = details.versions[0];
    expect(version).toMatchObject({
      version: 1,
      latest: true,
      runtime: 'nodejs24',
      entryPoint: expect.any(String),
    });
    expect(version?.['runtimeDetail']).toContain('24');
    expect(version?.['sizes']).toEqual([{ size: 's', functionId: greeter.deploymentId }]);
    expect(version?.['requirements']).toMatchObject({ outputJsonExample: expect.any(String) });
  });

  it('publishes and withdraws: others see it, then get the 404 of nothing there', async () => {
    expect((await other.core('GET', '/library/accgreeter')).status).toBe(404);
    expect((await other.call(greeter, '?name=x')).status).toBe(404);
    expect((await other.core('PUT', '/library/publish/accgreeter')).status).toBe(404);
    expect(await json(owner.core('PUT', '/library/publish/accgreeter'))).toMatchObject({ published: true });
    expect((await other.core('GET', '/library/accgreeter')).status).toBe(200);
    expect(await json(other.call(greeter, '?name=x'))).toEqual({ greeting: 'hello, x!' });
    expect(await json(owner.core('PUT', '/library/withdraw/accgreeter'))).toMatchObject({ published: false });
    const hidden = await other.call(greeter, '?name=x');
    const nothing = await other.call({ ...greeter, deploymentId: `nothing-${'0'.repeat(20)}-1-s` });
    expect(hidden.status).toBe(404);
    expect(await hidden.text()).toBe(await nothing.text());
  });

  it('answers whether a name exists', async () => {
    expect(await json(owner.core('GET', '/exists?name=accgreeter'))).toEqual({
      functionName: 'accgreeter',
      exists: true,
    });
    expect(await json(owner.core('GET', '/exists?name=never been'))).toMatchObject({ exists: false });
  });

  it('turns a failed build into a bad build with the tool’s message, which its owner can clean', async () => {
    const files = {
      ...fixtureFiles('probe', { shortname: 'accbroken' }),
      'index.js': 'this is not javascript',
    };
    const upload = await owner.upload('accbroken', await zip('accbroken', files));
    const { deployedDetails } = (await upload.json()) as { deployedDetails: { opid: string }[] };
    const opid = deployedDetails[0]?.opid ?? '';
    await (await fetch(`${url}/api/v1/builds/${opid}/events`, withKey())).text();
    const { badBuilds } = (await json(owner.core('GET', '/badbuilds'))) as {
      badBuilds: Record<string, string>[];
    };
    const bad = badBuilds.find(({ functionId }) => functionId === 'accbroken');
    expect(bad?.['errorDetails']).toContain('SyntaxError');
    expect(bad?.['createdAt']).toMatch(RFC3339);
    expect((await other.core('DELETE', `/badbuilds?id=${bad?.['buildId']}`)).status).toBe(404);
    expect(await json(owner.core('DELETE', `/badbuilds?id=${bad?.['buildId']}`))).toEqual({
      buildId: bad?.['buildId'],
      functions: ['accbroken'],
    });
    expect((await owner.core('DELETE', `/badbuilds?id=${bad?.['buildId']}`)).status).toBe(404);
  });

  it('gives each deploy a new version with its own URL and keeps the old one callable', async () => {
    const first = await owner.deploy('accversion', { ...fixtureFiles('probe', { shortname: 'accversion' }) });
    const second = await owner.deploy('accversion', {
      ...fixtureFiles('probe', { shortname: 'accversion' }),
    });
    expect([first.version, second.version]).toEqual([1, 2]);
    expect(first.url).not.toBe(second.url);
    for (const deployment of [first, second])
      expect((await owner.call(deployment, '?do=count')).status).toBe(200);
    const lookup = async (query: string): Promise<unknown> =>
      (await json(fetch(`${url}/auth-service/v1/lookup?id=accversion${query}`, withKey())))['dns'];
    expect(await lookup('')).toBe(second.url);
    expect(await lookup('&version=1')).toBe(first.url);
  });

  it('deletes a version, then the function: both stop answering at once', async () => {
    const first = await owner.deploy('accdelete', fixtureFiles('probe', { shortname: 'accdelete' }));
    const second = await owner.deploy('accdelete', fixtureFiles('probe', { shortname: 'accdelete' }));
    const remove = (path: string, key = apiKey): Promise<Response> =>
      fetch(`${url}/api/v1/functions/${path}`, { method: 'DELETE', headers: { 'x-jf-apikey': key } });
    expect((await remove('accdelete', other.apiKey)).status).toBe(404);
    expect((await remove('accdelete?version=2')).ok).toBe(true);
    expect((await owner.call(second, '?do=count')).status).toBe(404);
    expect((await owner.call(first, '?do=count')).status).toBe(200);
    expect((await remove('accdelete')).ok).toBe(true);
    expect((await owner.call(first, '?do=count')).status).toBe(404);
    expect((await owner.core('GET', '/library/accdelete')).status).toBe(404);
  });
});
