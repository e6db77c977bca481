import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Bytes, parseKeyConfigs } from '../../clients/sdk/src/sealed/index.ts';
import { type KeyRing, createKeyRing } from './key-ring.ts';

const LIFE_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const onFailed = (error: unknown): void => {
  throw error;
};

function offeredId(ring: KeyRing): number {
  return parseKeyConfigs(ring.offer().configs)[0]?.keyId ?? -1;
}

/** Keys are made off this thread. */
async function nextKey(ring: KeyRing, before: number): Promise<number> {
  while (offeredId(ring) === before) await new Promise((resolve) => setImmediate(resolve));
  return offeredId(ring);
}

const enc = (seed: number): Bytes => new Uint8Array(32).fill(seed);

describe('a key', () => {
  it('is handed out for eleven twelfths of its life and opens to its end, beside the next one', async () => {
    const ring = await createKeyRing({ lifeMs: LIFE_MS, onFailed });
    const first = offeredId(ring);
    expect(ring.offer().freshSeconds).toBe(3600);
    vi.advanceTimersByTime((LIFE_MS / 12) * 11 - 1);
    expect([offeredId(ring), ring.offer().freshSeconds]).toEqual([first, 300]);
    vi.advanceTimersByTime(1);
    const second = await nextKey(ring, first);
    expect(ring.offer().freshSeconds).toBe(3600);
    expect([ring.find(first), ring.find(second)]).not.toContain(undefined);
    vi.advanceTimersByTime(LIFE_MS / 12);
    expect(ring.find(first)).toBeUndefined();
    expect(ring.find(second)).toBeDefined();
  });

  it('has another key after it without end, and never more than two are there', async () => {
    const ring = await createKeyRing({ lifeMs: LIFE_MS, onFailed });
    let id = offeredId(ring);
    for (let hours = 0; hours < 300; hours++) {
      vi.advanceTimersByTime((LIFE_MS / 12) * 11);
      id = await nextKey(ring, id);
      const open = Array.from({ length: 256 }, (_, keyId) => ring.find(keyId)).filter(Boolean);
      expect(open.length).toBeLessThanOrEqual(2);
    }
  });

  it('opens no request twice', async () => {
    const ring = await createKeyRing({ lifeMs: LIFE_MS, onFailed });
    const key = ring.find(offeredId(ring));
    expect([1, 2, 1, 2].map((seed) => key?.admit(enc(seed)))).toEqual([true, true, false, false]);
  });

  it('ends with the last request that is remembered for it', async () => {
    const ring = await createKeyRing({ lifeMs: LIFE_MS, requestsMax: 2, onFailed });
    const first = offeredId(ring);
    const key = ring.find(first);
    expect([1, 2, 3].map((seed) => key?.admit(enc(seed)))).toEqual([true, true, false]);
    expect(ring.find(first)).toBeUndefined();
    const second = await nextKey(ring, first);
    vi.advanceTimersByTime((LIFE_MS / 12) * 11);
    expect(await nextKey(ring, second)).toBe((second + 1) % 256);
  });
});
