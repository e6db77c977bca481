import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles, startPlatform } from '../testkit/index.ts';
import { type Bytes, type KeyConfig, encodeKeyConfigs } from '../clients/sdk/src/sealed/index.ts';
import { receiptOf } from './receipt.ts';
import { type SealedCaller, createSealedCaller } from './sealed-caller.ts';

/** A sealed call reaches the function as a plain one does, and only the sandbox and the caller can read it. */
const { url, apiKey, dataDir } = inject('platform');
const owner = createClient(url, apiKey);
let probe: Deployed;
let sealed: SealedCaller;

beforeAll(async () => {
  probe = await owner.deploy('sealprobe', fixtureFiles('probe', { shortname: 'sealprobe' }));
  sealed = createSealedCaller(owner, probe);
});

describe('keys', () => {
  it('are served as the standard wants them, for the caller alone and a while, and signed', async () => {
    const response = await sealed.keys();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/ohttp-keys']);
    expect(response.headers.get('cache-control')).toMatch(/^private, max-age=[1-9]\d*$/);
    const configs = Buffer.from(await response.arrayBuffer());
    const signed = await receiptOf(url, response.headers.get('jellyfaas-key-signature') ?? '');
    expect(JSON.parse(signed)).toEqual({
      deployment: probe.deploymentId,
      sha256: createHash('sha256').update(configs).digest('hex'),
    });
    expect(Buffer.from(await (await sealed.keys()).arrayBuffer()).equals(configs)).toBe(true);
  });

  it('need a token, and a deployment that the caller may call', async () => {
    const path = `${url}/.well-known/ohttp-keys/`;
    expect((await fetch(`${path}${probe.deploymentId}`)).status).toBe(403);
    const headers = { jfwt: await owner.token() };
    const missing = probe.deploymentId.replace('sealprobe', 'nothing');
    expect((await fetch(`${path}${missing}`, { headers })).status).toBe(404);
    const stranger = await strangerOf('sealstranger');
    const foreign = { jfwt: await stranger.token() };
    expect((await fetch(`${path}${probe.deploymentId}`, { headers: foreign })).status).toBe(404);
  });
});

describe('a sealed call', () => {
  it('is to the function what a plain one is, without what the gateway is told', async () => {
    const { outer, inner } = await sealed.call({
      method: 'PUT',
      path: '/a%2Fb//c?do=echo&q=1',
      headers: [
        ['content-type', 'text/plain'],
        ['x-mine', 'one, two'],
        ['jfwt', 'a token that somebody put inside'],
      ],
      content: 'the body',
    });
    expect([outer.status, inner?.status]).toEqual([200, 200]);
    const seen = JSON.parse(inner?.text ?? '') as { headers: Record<string, string> };
    expect(seen).toMatchObject({
      method: 'PUT',
      url: '/a%2Fb//c?do=echo&q=1',
      body: Buffer.from('the body').toString('base64'),
      headers: { 'x-mine': 'one, two', 'content-type': 'text/plain', 'content-length': '8' },
    });
    expect(seen.headers['jfwt']).toBeUndefined();
  });

  it('shows the gateway 200 whatever its answer is, and the record one bit', async () => {
    const deployed = await owner.deploy('sealbits', fixtureFiles('probe', { shortname: 'sealbits' }));
    const caller = createSealedCaller(owner, deployed);
    for (const status of [201, 404, 500]) {
      const { outer, inner } = await caller.call({ path: `/?do=status&code=${status}&text=inside` });
      const fromFunction = inner?.headers.get('x-from-function');
      expect([inner?.status, inner?.text, fromFunction]).toEqual([status, 'inside', 'yes']);
      expect([outer.status, outer.headers.get('x-from-function')]).toEqual([200, null]);
    }
    // A record is written when the bit has come, which may be after the next call.
    await expect
      .poll(async () => (await bitsOf('sealbits')).map(String).toSorted())
      .toEqual(['false', 'false', 'true']);
  });

  it('streams an answer while the function is still writing it', async () => {
    const pieces: string[] = [];
    for await (const piece of sealed.stream({ path: '/?do=stream&chunks=5&every=50' })) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join('')).toBe('chunk 4\nchunk 3\nchunk 2\nchunk 1\nchunk 0\n');
  });

  it('carries large bodies in chunks, and says so of those in one piece', async () => {
    const content = Buffer.alloc(20 * 1_048_576, 'content ');
    const hash = createHash('sha256');
    for await (const piece of sealed.stream({ path: '/?do=raw', headers: BYTES, content }))
      hash.update(piece);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    const { outer } = await sealed.call({ path: '/?do=raw', content });
    expect([outer.status, await outer.json()]).toEqual([
      413,
      expect.objectContaining({ code: 'calls.sealed_too_large' }),
    ]);
  });

  it('that is no call of a function is answered inside the seal', async () => {
    const { outer, inner } = await sealed.call({ method: 'CONNECT' });
    expect([outer.status, inner?.status]).toEqual([200, 400]);
    expect(JSON.parse(inner?.text ?? '')).toMatchObject({ errorId: 'calls.bad_request' });
  });

  it('whose status HTTP does not know has failed, and nobody takes its answer for a changed one', async () => {
    const { outer } = await sealed.call({ path: '/?do=status&code=999' });
    expect([outer.status, await outer.json()]).toEqual([
      502,
      expect.objectContaining({ code: 'calls.function_bad_response' }),
    ]);
    expect((await sealed.call({ path: '/?do=status&code=599' })).inner?.status).toBe(599);
  });

  it('that ends its instance is a failed one, and its key is gone with it', async () => {
    const old = await sealed.config();
    expect((await sealed.call({ path: '/?do=exit' }, old)).outer.status).toBe(502);
    const { outer } = await sealed.call({ path: '/?do=count' }, old);
    expect(outer.status).toBe(422);
    expect(outer.headers.get('content-type')).toContain('application/problem+json');
    expect(await outer.json()).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#ohttp-key',
      code: 'calls.sealed_key_unknown',
    });
    expect((await sealed.call({ path: '/?do=count' })).inner?.text).toContain('"calls":1');
  });

  it('that is sent again is refused and runs once', async () => {
    const { body } = await sealed.seal({ path: '/?do=count' });
    const before = await count();
    expect((await sealed.post(body)).status).toBe(200);
    const again = await Promise.all([sealed.post(body), sealed.post(body)]);
    expect(again.map(({ status }) => status)).toEqual([400, 400]);
    expect(await count()).toBe(before + 2);
  });
});

describe('a key', () => {
  it('is another one for each account, and opens for nobody else', async () => {
    await owner.core('PUT', '/library/publish/sealprobe');
    const other = createSealedCaller(await strangerOf('sealother'), probe);
    const [mine, theirs] = [await sealed.config(), await other.config()];
    expect(Buffer.from(mine.publicKey)).not.toEqual(Buffer.from(theirs.publicKey));
    const { body } = await sealed.seal({ path: '/?do=count' }, mine);
    expect((await other.post(relabelled(body, theirs))).status).toBe(400);
    expect((await other.call({ path: '/?do=count' })).inner?.status).toBe(200);
  });

  it('opens nothing that was sealed for another version', async () => {
    const second = await owner.deploy(
      'sealprobe',
      fixtureFiles('probe', { shortname: 'sealprobe', release: 2 }),
    );
    const newer = createSealedCaller(owner, second);
    const theirs = await newer.config();
    // Sealed to the very key of the second version, but meant for the first.
    const { body } = await sealed.seal({ path: '/?do=count' }, theirs);
    expect((await newer.post(body)).status).toBe(400);
    expect((await newer.call({ path: '/?do=count' })).inner?.text).toContain('"calls":1');
  });

  it('is followed by the next one, and opens nothing after its end', async () => {
    const platform = await startPlatform({
      layersOf: dataDir,
      env: { JELLYFAAS_SEALED_KEY_SECONDS: '2' },
    });
    try {
      const client = createClient(platform.url, platform.apiKey);
      const deployed = await client.deploy('rotprobe', fixtureFiles('probe', { shortname: 'rotprobe' }));
      const caller = createSealedCaller(client, deployed);
      const first = await caller.config();
      const { body } = await caller.seal({ path: '/?do=count' }, first);
      await expect.poll(async () => fingerprint(await caller.config())).not.toBe(fingerprint(first));
      expect((await caller.call({ path: '/?do=count' })).inner?.status).toBe(200);
      await expect
        .poll(async () => (await caller.call({ path: '/?do=count' }, first)).outer.status)
        .toBe(422);
      expect((await caller.post(body)).status).toBe(422);
    } finally {
      await platform.stop();
      platform.remove();
    }
  });
});

const BYTES = [['content-type', 'application/octet-stream']] as const;

function fingerprint(config: KeyConfig): string {
  return Buffer.from(encodeKeyConfigs([config])).toString('hex');
}

/** As if it had been sealed to `config`: the key id is in the clear. */
function relabelled(body: Bytes, { keyId }: KeyConfig): Bytes {
  const copy = Uint8Array.from(body);
  copy[0] = keyId;
  return copy;
}

async function count(): Promise<number> {
  const { inner } = await sealed.call({ path: '/?do=count' });
  return (JSON.parse(inner?.text ?? '') as { calls: number }).calls;
}

/** Of the recorded calls, the latest first. */
async function bitsOf(shortname: string): Promise<boolean[]> {
  const response = await fetch(`${url}/api/v1/calls?function=${shortname}`, {
    headers: { 'x-jf-apikey': apiKey },
  });
  const { calls } = (await response.json()) as { calls: { ok: boolean }[] };
  return calls.map(({ ok }) => ok);
}

async function strangerOf(name: string) {
  const entity = { type: 'user', name, email: `${name}@example.org` };
  const created = await owner.core('POST', '/entity', JSON.stringify(entity));
  return createClient(url, ((await created.json()) as { password: string }).password);
}
