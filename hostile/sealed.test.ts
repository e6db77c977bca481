import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { createSealedCaller, type SealedCaller } from '../acceptance/sealed-caller.ts';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';

/** Sealed calls that somebody on the way has changed, and a gateway whose memory is searched for what they hold. */
const { url, apiKey, pid } = inject('platform');
const owner = createClient(url, apiKey);
let target: Deployed;
let sealed: SealedCaller;

beforeAll(async () => {
  target = await owner.deploy('sealtarget', fixtureFiles('probe', { shortname: 'sealtarget' }));
  sealed = createSealedCaller(owner, target);
});

describe('a sealed call that does not open', () => {
  it('is refused alike wherever it was changed, cut off or made up, and never runs', async () => {
    const config = await sealed.config();
    const { body } = await sealed.seal({ path: '/?do=count' }, config);
    const changed = [1, 3, 5, 7, 20, 38, 39, 60, body.length - 1].map((at) => {
      const copy = Uint8Array.from(body);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    });
    const cut = [1, 7, 38, 39, 54, body.length - 1].map((length) => body.slice(0, length));
    const madeUp = Uint8Array.from([config.keyId, ...randomBytes(300)]);
    const answers = new Set<string>();
    for (const bytes of [...changed, ...cut, madeUp]) {
      const response = await sealed.post(bytes);
      answers.add(`${response.status} ${await response.text()}`);
    }
    expect([...answers]).toEqual([expect.stringMatching(/^400 .*calls\.sealed_refused/)]);
    expect((await sealed.call({ path: '/?do=count' }, config)).inner?.text).toContain('"calls":1');
  });
});

describe('the memory of the gateway', () => {
  it('holds nothing of a sealed call, and the same search finds a plain one', async () => {
    const secret = `sealed-${randomBytes(16).toString('hex')}`;
    const running = sealed.stream({
      path: `/?do=stream&chunks=30&every=50&q=${secret}`,
      headers: [['x-secret', secret]],
      content: secret.repeat(2000),
    });
    expect((await running.next()).value).toContain('chunk');
    expect(hitsIn(pid, secret)).toBe(0);
    for await (const piece of running) expect(piece).toContain('chunk');
    const echoed = await sealed.call({ path: '/?do=echo', content: secret });
    expect(echoed.inner?.status).toBe(200);
    expect(hitsIn(pid, secret)).toBe(0);
    const plain = `plain-${randomBytes(16).toString('hex')}`;
    expect((await owner.call(target, `?do=echo&q=${plain}`)).status).toBe(200);
    expect(hitsIn(pid, plain)).toBeGreaterThan(0);
  });
});

/** How often a text stands in the writable memory of a process. */
function hitsIn(process: number, text: string): number {
  const needle = Buffer.from(text);
  const memory = openSync(`/proc/${process}/mem`, 'r');
  let hits = 0;
  try {
    for (const [, from = '', to = ''] of readFileSync(`/proc/${process}/maps`, 'latin1').matchAll(
      /^([0-9a-f]+)-([0-9a-f]+) rw/gm,
    )) {
      const start = Number.parseInt(from, 16);
      const content = readMemory(memory, start, Number.parseInt(to, 16) - start);
      for (let at = content.indexOf(needle); at !== -1; at = content.indexOf(needle, at + 1)) hits++;
    }
  } finally {
    closeSync(memory);
  }
  return hits;
}

const REGION_BYTES_MAX = 512 * 1024 * 1024;

/** Regions come and go while they are read. */
function readMemory(memory: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.min(length, REGION_BYTES_MAX));
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, bytes.length, start));
  } catch {
    return bytes.subarray(0, 0);
  }
}
