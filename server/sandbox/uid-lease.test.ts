import { expect, test } from 'vitest';
import { leaseUids } from './uid-lease.ts';

test('two platforms on one host never hand out the same uid', async () => {
  const range = { first: 3_000_000, last: 3_002_047 };
  const one = await leaseUids(range);
  const two = await leaseUids(range);
  const take = (lease: typeof one): number[] => Array.from({ length: 1024 }, () => lease.take());
  expect(new Set([...take(one), ...take(two)]).size).toBe(2048);
  await expect(leaseUids(range)).rejects.toMatchObject({ code: 'sandbox.uids_exhausted' });
  await one.close();
  const three = await leaseUids(range);
  expect(three.take()).toBe(3_000_000);
  await Promise.all([two.close(), three.close()]);
});

test('a uid in use is not handed out again, and a released one rests as long as possible', async () => {
  const lease = await leaseUids({ first: 3_100_000, last: 3_100_002 });
  const [a, b] = [lease.take(), lease.take()];
  lease.release(a);
  expect(lease.take()).toBe(3_100_002);
  expect(lease.take()).toBe(a);
  expect(() => lease.take()).toThrow(expect.objectContaining({ code: 'sandbox.uids_exhausted' }));
  lease.release(b);
  expect(lease.take()).toBe(b);
  await lease.close();
});
