import { beforeEach, describe, expect, it } from 'vitest';
import { type ManualTime, createManualTime } from '../calls/testing/manual-time.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import { createTokenCodec } from './jfwt.ts';
import { LiveKeys } from './live-keys.ts';
import { type Tokens, createTokens } from './tokens.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const sealing = new Uint8Array(32).fill(3);
const stored = {
  id: 'key_1' as ApiKeyId,
  accountId: 'acct_ada' as AccountId,
  epoch: 1,
  hmac: new Uint8Array(32),
  wrappedAccountKey: new Uint8Array(32),
  createdAt: 1,
};

let time: ManualTime;
let keys: LiveKeys;
let tokens: Tokens;

beforeEach(async () => {
  time = createManualTime();
  keys = new LiveKeys(new Uint8Array(32));
  keys.add(stored, 'member');
  await restart();
});

async function restart(): Promise<void> {
  tokens = createTokens({ codec: await createTokenCodec(sealing), keys, clock: time, lifetimeMs: DAY });
}

async function issue(): Promise<string> {
  const key = keys.get(stored.id);
  if (key === undefined) throw new Error('revoked');
  return (await tokens.issue(key, new Uint8Array(32))).token.reveal();
}

/** Whether it says who somebody is, and whether it opens what is sealed: the same at any time. */
async function opens(token: string): Promise<boolean> {
  const both = [await tokens.verify(token), await tokens.unlock(token)].map((one) => one !== undefined);
  expect(both[0]).toBe(both[1]);
  return both[0] === true;
}

describe('a token', () => {
  it.each([HOUR, DAY, YEAR])('that has expired stays so when the clock goes back by %i ms', async (jump) => {
    const [used, unused] = [await issue(), await issue()];
    expect(await opens(used)).toBe(true);
    time.advance(DAY);
    time.jump(-jump);
    for (const token of [used, unused]) expect(await opens(token)).toBe(false);
  });

  it.each([DAY, YEAR])('lives no longer because the clock goes back by %i ms in its life', async (jump) => {
    const token = await issue();
    time.advance(12 * HOUR);
    time.jump(-jump);
    expect(await opens(token)).toBe(true);
    time.advance(12 * HOUR);
    expect(await opens(token)).toBe(false);
  });

  it.each([DAY, YEAR])('ends when the clock goes forwards by %i ms, after a restart, too', async (jump) => {
    const token = await issue();
    time.jump(jump);
    expect(await opens(token)).toBe(false);
    await restart();
    expect(await opens(token)).toBe(false);
  });

  it('that was issued while the clock was ahead lives its day, and opens nothing after a restart', async () => {
    time.jump(YEAR);
    const token = await issue();
    time.jump(-YEAR);
    expect(await opens(token)).toBe(true);
    time.advance(DAY);
    expect(await opens(token)).toBe(false);
    await restart();
    expect(await opens(token)).toBe(false);
  });

  it('goes on over a restart, and over a clock that is set by seconds', async () => {
    const token = await issue();
    await restart();
    time.jump(-30_000);
    expect(await opens(token)).toBe(true);
  });

  it('of a revoked key is dead, whatever the clock does', async () => {
    const token = await issue();
    const key = keys.get(stored.id);
    if (key !== undefined) keys.remove(key);
    for (const jump of [0, -DAY, -YEAR, 2 * YEAR]) {
      time.jump(jump);
      expect(await opens(token)).toBe(false);
    }
  });
});
