import { createHash } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import type { Access, AccessEvent, AccessHash, Actor, BackupStore, LoggedAccess } from './backup-store.ts';

/** SHA-256 over the hash before and the entry, so that no entry can be changed, left out or put in between. */
export const accessHash: AccessHash = ({ number, at, event, actor, generation, outcome, reason }, before) =>
  createHash('sha256')
    .update(before ?? Buffer.alloc(32))
    .update(JSON.stringify([number, at, event, actor, generation, outcome, reason]))
    .digest();

export function isIntact(entries: readonly LoggedAccess[]): boolean {
  return entries.every((entry, index) => {
    const hash = Buffer.from(accessHash(entry, entries[index - 1]?.hash));
    return entry.number === index + 1 && hash.equals(entry.hash);
  });
}

/** Adds an entry; without a generation or a reason, and `ok`, where nothing else is said. */
export type LogAccess = (
  event: AccessEvent,
  actor: Actor,
  rest?: Partial<Pick<Access, 'generation' | 'outcome' | 'reason'>>,
) => Promise<void>;

export function createAccessLog(store: Pick<BackupStore, 'log'>, clock: Pick<Clock, 'now'>): LogAccess {
  return async (event, actor, rest) => {
    const access = { at: clock.now(), event, actor, generation: null, outcome: 'ok', reason: null, ...rest };
    await store.log(access, accessHash);
  };
}
