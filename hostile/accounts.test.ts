import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Client, type Deployed, createClient, fixtureFiles, zip } from '../testkit/index.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** One account that tries to see, call, change or delete what is another's: always the answer of nothing there. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
let victim: Neighbour;
let mallory: Client;
let buildId: string;

beforeAll(async () => {
  victim = await moveIn(owner);
  mallory = (await moveIn(owner)).client;
  const upload = await victim.client.upload(
    'victimbad',
    await zip('victimbad', {
      ...fixtureFiles('probe', { shortname: 'victimbad' }),
      'index.js': 'syntax error here',
    }),
  );
  buildId = ((await upload.json()) as { deployedDetails: { opid: string }[] }).deployedDetails[0]?.opid ?? '';
  await (
    await fetch(`${url}/api/v1/builds/${buildId}/events`, {
      headers: { 'x-jf-apikey': victim.client.apiKey },
    })
  ).text();
});

afterEach(() => victim.answers());

function as(client: Client, method: string, path: string): Promise<Response> {
  return fetch(`${url}${path}`, { method, headers: { 'x-jf-apikey': client.apiKey } });
}

/** Routes that name a thing; `NAME` and `BUILD` are put in. */
const ROUTES: [string, string][] = [
  ['GET', '/core-service/v1/library/NAME'],
  ['PUT', '/core-service/v1/library/publish/NAME'],
  ['PUT', '/core-service/v1/library/withdraw/NAME'],
  ['GET', '/core-service/v1/upload/BUILD/NAME'],
  ['DELETE', '/core-service/v1/badbuilds?id=BUILD'],
  ['GET', '/auth-service/v1/lookup?id=NAME'],
  ['GET', '/auth-service/v1/lookup?id=NAME&version=1'],
  ['GET', '/api/v1/functions/NAME'],
  ['DELETE', '/api/v1/functions/NAME'],
  ['DELETE', '/api/v1/functions/NAME?version=1'],
  ['GET', '/api/v1/functions/NAME/console'],
  ['GET', '/api/v1/builds/BUILD/events'],
];

describe('somebody else’s', () => {
  for (const [method, route] of ROUTES) {
    it(`${method} ${route} answers as if there were nothing`, async () => {
      const fill = (name: string, build: string): string =>
        route.replace('NAME', name).replace('BUILD', build);
      const theirs = await as(mallory, method, fill(victim.deployment.shortname, buildId));
      const nothing = await as(mallory, method, fill('nothinghere', 'bld_00000000000000000000'));
      expect(theirs.status).toBe(404);
      expect(await theirs.text()).toBe(await nothing.text());
    });
  }

  it('deployment cannot be called, and the answer is that of an unknown one', async () => {
    const theirs = await mallory.call(victim.deployment);
    const nothing = await mallory.call({
      ...victim.deployment,
      deploymentId: victim.deployment.deploymentId.replace(/-[0-9a-v]{20}-/, `-${'0'.repeat(20)}-`),
    });
    expect([theirs.status, await theirs.text()]).toEqual([404, await nothing.text()]);
  });

  it('calls and library entries never show', async () => {
    const calls = await (await as(mallory, 'GET', '/api/v1/calls')).text();
    const library = await (await as(mallory, 'GET', '/core-service/v1/library')).text();
    expect(calls + library).not.toContain(victim.deployment.shortname);
    const filtered = await as(mallory, 'GET', `/api/v1/calls?function=${victim.deployment.shortname}`);
    expect(await filtered.text()).not.toContain('durationMs');
  });

  it('shortname cannot be taken over by an upload', async () => {
    const archive = await zip(
      victim.deployment.shortname,
      fixtureFiles('probe', { shortname: victim.deployment.shortname }),
    );
    const response = await mallory.upload(victim.deployment.shortname, archive);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ errorId: 'functions.shortname_taken' });
  });

  it('API keys cannot be listed or revoked', async () => {
    const { apiKeys } = (await (await as(victim.client, 'GET', '/api/v1/api-keys')).json()) as {
      apiKeys: { id: string }[];
    };
    const mine = await (await as(mallory, 'GET', '/api/v1/api-keys')).text();
    for (const { id } of apiKeys) {
      expect(mine).not.toContain(id);
      expect((await as(mallory, 'DELETE', `/api/v1/api-keys/${id}`)).status).toBe(404);
    }
  });

  it('traversal in ids is just an unknown id', async () => {
    for (const id of [
      '..',
      '%2e%2e',
      '..%2f..%2fkeys',
      'a%00b',
      "x' OR '1'='1",
      'x"; DROP TABLE functions; --',
      '%F0%9F%98%80',
      'x'.repeat(5000),
    ]) {
      expect(
        (await as(mallory, 'GET', `/core-service/v1/library/${encodeURI(id)}`)).status,
      ).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('credentials', () => {
  it('a revoked key and the tokens it gave stop working at once', async () => {
    const created = await as(victim.client, 'POST', '/api/v1/api-keys');
    const { apiKey: second, id } = (await created.json()) as { apiKey: string; id: string };
    const holder = createClient(url, second);
    expect((await holder.call(victim.deployment, '?do=count')).status).toBe(200);
    expect((await as(victim.client, 'DELETE', `/api/v1/api-keys/${id}`)).ok).toBe(true);
    expect((await holder.call(victim.deployment, '?do=count')).status).toBe(403);
    expect((await as(holder, 'GET', '/core-service/v1/library')).status).toBe(401);
  });

  it('a token is no key and a key is no token', async () => {
    const token = await victim.client.token();
    expect(
      (await fetch(`${url}/core-service/v1/library`, { headers: { 'x-jf-apikey': token } })).status,
    ).toBe(401);
    expect(
      (await victim.client.call(victim.deployment, '', { headers: { jfwt: victim.client.apiKey } })).status,
    ).toBe(403);
  });

  it('a token with any flipped character is refused', async () => {
    const token = await victim.client.token();
    for (let at = 0; at < token.length; at += 17) {
      const flipped = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      const response = await victim.client.call(victim.deployment, '?do=count', {
        headers: { jfwt: flipped },
      });
      expect(response.status, `character ${at}`).toBe(flipped === token ? 200 : 403);
    }
  });
});

describe('instances', () => {
  it('are not shared by two accounts that call one published function', async () => {
    const name = 'hostshared';
    const shared: Deployed = await owner.deploy(name, fixtureFiles('probe', { shortname: name }));
    await owner.core('PUT', `/library/publish/${name}`);
    const store = `globalThis.left = 'secret of the first'; require('node:fs').writeFileSync('/tmp/left', 'secret'); return process.pid;`;
    const look = `return { left: globalThis.left ?? null, file: require('node:fs').existsSync('/tmp/left'), env: process.env.left ?? null };`;
    const run = async (client: Client, body: string): Promise<unknown> =>
      ((await (await client.call(shared, '?do=eval', { method: 'POST', body })).json()) as { value: unknown })
        .value;
    await run(victim.client, store);
    for (const stranger of [mallory, owner])
      expect(await run(stranger, look)).toEqual({ left: null, file: false, env: null });
    expect(await run(victim.client, look)).toMatchObject({ left: 'secret of the first' });
  });

  it('show the author no console output of other callers', async () => {
    const name = 'hosttail';
    const shared = await owner.deploy(name, fixtureFiles('probe', { shortname: name }));
    await owner.core('PUT', `/library/publish/${name}`);
    const stop = new AbortController();
    const tail = await fetch(`${url}/api/v1/functions/${name}/console`, {
      headers: { 'x-jf-apikey': apiKey },
      signal: stop.signal,
    });
    await mallory.call(shared, '?do=log&text=callers-secret');
    await owner.call(shared, '?do=log&text=authors-own-line');
    let seen = '';
    const decoder = new TextDecoder();
    for await (const piece of tail.body ?? []) {
      seen += decoder.decode(piece);
      if (seen.includes('authors-own-line')) break;
    }
    stop.abort();
    expect(seen).not.toContain('callers-secret');
  });
});
