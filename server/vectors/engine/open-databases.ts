import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../kernel/clock.ts';
import { notFound, PlatformError } from '../../kernel/errors.ts';
import { openVectorStore, type VectorStore, type VectorStoreOptions } from '../../stores/vector-store.ts';
import { checkSettings } from './checks.ts';
import { newHashKeys } from './database-keys.ts';
import { createPause } from './pause.ts';
import type { DatabaseRequest, EngineSetup, Method, Methods } from './protocol.ts';
import { createSlots, type OpenSlot, type Slot } from './slots.ts';
import { type Answer, openVectorDatabase } from './vector-database.ts';

/**
 * Databases that are open in the engine process, a bounded number of them: opened by the first request that brings the
 * key, closed when idle, or for others that need the place. The requests of one database run one after the other.
 */
export interface OpenDatabases {
  /** `key` must be the one with which the database was opened; another is answered like a missing database. */
  answer(request: DatabaseRequest, key: Uint8Array, vectors: readonly Float32Array[]): Promise<Answer>;
  /** Closes it. What waits for it or runs on it rejects with `database.not_found`. */
  forget(id: string): Promise<void>;
  close(): Promise<void>;
}

/** After these there may be pages to give back. */
const FREEING: ReadonlySet<Method> = new Set(['upsert', 'delete', 'deleteDocument', 'finishDocument']);

export function createOpenDatabases({ run, limits }: EngineSetup, clock: Clock): OpenDatabases {
  const slots = createSlots(limits);

  async function obtain(slot: Slot, request: DatabaseRequest, key: Uint8Array): Promise<OpenSlot> {
    if (slot.open !== undefined) {
      if (key.length === slot.open.key.length && timingSafeEqual(key, slot.open.key)) return slot.open;
      throw notFound('database');
    }
    await slots.makeRoom(slot);
    const path = pathOf(request);
    const pause = createPause(clock, () => refuseForgotten(slot));
    const store = await openOrCreate(request, { path, key, pause });
    const settings = await store.settings();
    if (settings === undefined) {
      // Its making was interrupted.
      await store.close();
      throw notFound('database');
    }
    await store.uploads.forgetOld({ run, now: request.now });
    const hashKeys = await store.hashKeys(newHashKeys(key));
    const database = openVectorDatabase({ store, settings, path, hashKeys, run, limits, clock, pause });
    return (slot.open = { database, store, path, key });
  }

  async function answerIn(
    slot: Slot,
    request: DatabaseRequest,
    key: Uint8Array,
    vectors: readonly Float32Array[],
  ): Promise<Answer> {
    refuseForgotten(slot);
    const isNew = request.method === 'create' && slot.open === undefined && !existsSync(pathOf(request));
    const { database } = await obtain(slot, request, key);
    const answer = isNew ? { result: null } : await database.answer(request, vectors);
    slots.building.add(database);
    return answer;
  }

  return {
    async answer(request, key, vectors) {
      const { slot, leave } = slots.enter(request.database);
      try {
        return await slot.serial(() => answerIn(slot, request, key, vectors));
      } finally {
        // What cannot be given back now is given back after another request.
        if (FREEING.has(request.method)) slot.serial(() => compact(slot)).catch(() => undefined);
        leave();
      }
    },
    forget: (id) => slots.forget(id),
    async close() {
      await Promise.all(slots.all().map(async ({ id }) => await slots.forget(id)));
    },
  };
}

const pathOf = ({ directory }: DatabaseRequest): string => join(directory, 'vectors.db');

function refuseForgotten({ isForgotten }: Slot): void {
  if (isForgotten) throw notFound('database');
}

async function openOrCreate(request: DatabaseRequest, options: VectorStoreOptions): Promise<VectorStore> {
  if (existsSync(options.path)) return await openStore(options);
  if (request.method !== 'create') throw notFound('database');
  const { settings } = request.args as Methods['create']['args'];
  checkSettings(settings);
  const store = await openStore(options);
  await store.prepare(settings);
  return store;
}

async function openStore(options: VectorStoreOptions): Promise<VectorStore> {
  try {
    return await openVectorStore(options);
  } catch (thrown) {
    throw thrown instanceof PlatformError && thrown.code === 'stores.wrong_key'
      ? notFound('database')
      : thrown;
  }
}

/** Gives free pages back, in a thread of its own: SQLite writes the whole file anew, in one step. */
async function compact({ open, isForgotten }: Slot): Promise<void> {
  if (open === undefined || isForgotten || !(await open.store.isWasteful())) return;
  const workerData = { path: open.path, key: open.key };
  const worker = new Worker(new URL('./compact-worker.ts', import.meta.url), { workerData, env: {} });
  // A failure leaves the file as it was.
  worker.on('error', () => {});
  await once(worker, 'exit');
}
