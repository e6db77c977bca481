import { existsSync } from 'node:fs';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { utcDay } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { LruMap } from '../kernel/lru-map.ts';
import { calls } from './migrations/calls/001-calls.ts';
import { openEncrypted } from './sqlite.ts';
import type { EncryptedStore } from './sqlite.ts';

export interface CallTables {
  call: {
    account_id: AccountId;
    function_id: FunctionId;
    version: number;
    origin_ip: string;
    duration_ms: number;
    ok: number;
  };
}

export type DayStore = EncryptedStore<CallTables>;

/** The partitions of the call store: one encrypted file per UTC day, a bounded number of them open. */
export interface CallDays {
  /** Newest first. */
  readonly list: () => Promise<string[]>;
  find(day: string): Promise<DayStore | undefined>;
  obtain(day: string): Promise<DayStore>;
  /** The day from which its age counts: itself, or when it was first found to lie after `today`. */
  agesFrom(day: string, today: string): Promise<string>;
  /** Key first, so that what a crash leaves of the file is noise. */
  destroy(day: string): Promise<void>;
  readonly close: () => Promise<void>;
}

export interface CallDaysOptions {
  /** `<dataDir>/calls`. */
  readonly dir: string;
  readonly keyRing: KeyRing;
  /** Files held open, three descriptors each. Default 40: a month of days without reopening any. */
  readonly openDaysMax?: number;
  readonly events?: Pick<EventLog, 'emit'>;
}

export const callMigrations = [calls];

export const DAY_FORM = /^\d{4}-\d{2}-\d{2}$/;

/** Its methods must not overlap: opening one day may close another. */
export function createCallDays({ dir, keyRing, openDaysMax = 40, events }: CallDaysOptions): CallDays {
  const openDays = new LruMap<string, DayStore>(openDaysMax);

  const fileOf = (day: string): string => join(dir, `${day}.db`);
  const resourceOf = (day: string): string => `calls/${day}`;

  async function open(day: string, key: Uint8Array): Promise<DayStore> {
    const store = await openEncrypted<CallTables>({
      name: 'calls',
      path: fileOf(day),
      key,
      migrations: callMigrations,
      // Rows are acknowledged to nobody; they have to survive kill -9 only, which this does.
      durability: 'normal',
      ...(events && { events }),
    });
    await openDays.set(day, store)?.close();
    return store;
  }

  async function find(day: string): Promise<DayStore | undefined> {
    const opened = openDays.get(day);
    if (opened !== undefined || !existsSync(fileOf(day))) return opened;
    const key = await keyRing.find(resourceOf(day));
    return key && (await open(day, key));
  }

  async function removeFiles(day: string): Promise<void> {
    for (const suffix of ['', '-wal', '-shm']) await rm(fileOf(day) + suffix, { force: true });
  }

  return {
    async list() {
      const files = existsSync(dir) ? await readdir(dir) : [];
      return files
        .filter((file) => file.endsWith('.db'))
        .map((file) => file.slice(0, -'.db'.length))
        .filter((day) => DAY_FORM.test(day))
        .toSorted()
        .toReversed();
    },
    find,
    async obtain(day) {
      const existing = await find(day);
      if (existing !== undefined) return existing;
      // A file without a key is what a crash left of a destroyed day.
      await removeFiles(day);
      return await open(day, await keyRing.obtain(resourceOf(day), 'root'));
    },
    async agesFrom(day, today) {
      // The file's own time is the note, since nothing writes to such a day: it lasts over restarts, and is no new data.
      const touched = utcDay((await stat(fileOf(day))).mtimeMs);
      if (day > today && touched <= today) return touched;
      const from = day > today ? today : day;
      // A note of when the clock was behind must not count should it be behind again.
      if (day > today || touched < day) await utimes(fileOf(day), new Date(from), new Date(from));
      return from;
    },
    async destroy(day) {
      await openDays.take(day)?.close();
      await keyRing.destroy(resourceOf(day));
      await removeFiles(day);
    },
    async close() {
      for (const [day, store] of openDays.entries()) {
        openDays.take(day);
        await store.close();
      }
    },
  };
}
