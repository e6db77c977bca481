import { timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { VectorStore } from '../../stores/vector-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import {
  checkDocument,
  checkFilter,
  checkIds,
  checkPage,
  checkPassages,
  checkRecords,
  checkSearch,
} from './checks.ts';
import { type DatabaseKeys, deriveKeys } from './database-keys.ts';
import { engineErrors } from './engine-errors.ts';
import { bytesOf, floatsOf } from './frames.ts';
import { wordsOf } from './keywords.ts';
import { createNeighbours, type Neighbours } from './neighbours.ts';
import type { DatabaseRequest, Method, Methods, StoreLimits } from './protocol.ts';
import { searchRecords } from './search-records.ts';
import type { VectorSettings } from './vector-engine.ts';

/** One open database: its file, and its vectors in memory from the first search on. One request at a time. */
export interface VectorDatabase {
  answer(request: DatabaseRequest, vectors: readonly Float32Array[]): Promise<Answer>;
  /** Of vectors in memory. */
  readonly bytes: number;
  /** Goes on with the graph; whether there is more to do. May run between two steps of a request. */
  build(): boolean;
  close(): Promise<void>;
}

export interface Answer<M extends Method = Method> {
  readonly result: Methods[M]['result'];
  readonly vectors?: readonly Float32Array[];
}

export interface VectorDatabaseOptions {
  readonly store: VectorStore;
  readonly settings: VectorSettings;
  readonly path: string;
  readonly key: Uint8Array;
  readonly run: string;
  readonly limits: StoreLimits;
  readonly clock: Clock;
  readonly pause: () => Promise<void>;
}

/** In the place of a vector that was not sent: it has the wrong length. */
const NONE = new Float32Array();

/** What each method is given. */
export interface Opened {
  readonly options: VectorDatabaseOptions;
  readonly keys: DatabaseKeys;
  /** The vectors in memory, loaded now if they are not. */
  readonly load: () => Promise<Neighbours>;
  /** The same if they are loaded: a change has to reach them. */
  readonly loaded: () => Neighbours | undefined;
}

type Handler<M extends Method> = (
  opened: Opened,
  args: Methods[M]['args'],
  request: { readonly vectors: readonly Float32Array[]; readonly now: number },
) => Promise<Answer<M>>;

export function openVectorDatabase(options: VectorDatabaseOptions): VectorDatabase {
  const { store, settings, limits, clock, pause } = options;
  let neighbours: Neighbours | undefined;

  async function load(): Promise<Neighbours> {
    if (neighbours !== undefined) return neighbours;
    const loading = createNeighbours({ ...settings, exactMax: limits.exactMax, clock, pause });
    for await (const slice of store.vectors()) {
      for (const { key, value } of slice) loading.add(key, floatsOf(value));
    }
    return (neighbours = loading);
  }

  const opened: Opened = { options, keys: deriveKeys(options.key), load, loaded: () => neighbours };
  return {
    answer({ method, args, now }, vectors) {
      const handler = HANDLERS[method] as Handler<Method>;
      return handler(opened, args, { vectors, now });
    },
    get bytes() {
      return neighbours?.bytes ?? 0;
    },
    build: () => neighbours?.build() ?? false,
    close: () => store.close(),
  };
}

const HANDLERS: { readonly [M in Method]: Handler<M> } = {
  // Whoever opens a new one makes it: this one was there.
  create: () => Promise.reject(engineErrors.exists()),
  async describe({ options: { store, settings, path, limits }, loaded }) {
    const { records, documents } = await store.counts();
    const index = loaded()?.state ?? (records > limits.exactMax ? 'building' : 'exact');
    return { result: { ...settings, records, documents, bytes: await bytesOnDisk(path), index } };
  },
  async upsert({ options, keys, loaded }, args, { vectors }) {
    const { store, settings } = options;
    const given = args.records.map((record, index) => ({ ...record, vector: vectors[index] ?? NONE }));
    checkRecords(given, settings);
    // The last of several with one id counts.
    const records = [...new Map(given.map((record) => [record.id, record])).values()];
    await checkRoom(options, records.length - (await store.idsTaken(records.map(({ id }) => id))));
    const { removed, added } = await store.put(
      records.map(({ id, vector, metadata = {}, text = null }) => ({
        id,
        vector: bytesOf(vector),
        metadata,
        text,
        words: keys.words(wordsOf(text ?? '')),
        place: null,
      })),
    );
    replace(
      loaded(),
      removed,
      added.map((key, index) => ({ key, vector: records[index]?.vector ?? NONE })),
    );
    return { result: { inserted: added.length - removed.length, updated: removed.length } };
  },
  async delete({ options: { store }, loaded }, { what }) {
    if ('ids' in what) checkIds(what.ids);
    else checkFilter(what.filter);
    return { result: await store.remove(what, (keys) => replace(loaded(), keys, [])) };
  },
  async search({ options: { store, settings }, keys, load }, { search }, { vectors: [vector] }) {
    const wanted = { ...search, ...(vector !== undefined && { vector }) };
    checkSearch(wanted, settings);
    return { result: await searchRecords({ store, keys, load }, wanted) };
  },
  async beginDocument({ options: { store, run } }, { document }, { now }) {
    checkDocument(document);
    await store.uploads.forgetOld({ run, now });
    await store.uploads.begin(document, { run, now });
    return { result: null };
  },
  async knownVectors({ options: { store }, keys }, { texts }) {
    checkIds(texts);
    const hashes = texts.map((text) => keys.textHash(text).toString('hex'));
    const known = await store.uploads.vectorsOfTexts(hashes);
    const vectors = hashes.map((hash) => known.get(hash)).filter((vector) => vector !== undefined);
    return { result: hashes.map((hash) => known.has(hash)), vectors: vectors.map(floatsOf) };
  },
  async stage({ options, keys }, args, { vectors }) {
    const { store, settings, run } = options;
    const passages = args.passages.map((passage, index) => ({ ...passage, vector: vectors[index] ?? NONE }));
    checkPassages(passages, settings);
    const upload = await store.uploads.running(args.uploadId, run);
    if (upload === undefined) throw engineErrors.uploadGone();
    await checkRoom(options, upload.passages + passages.length);
    const isSealed = settings.kind === 'sealed';
    await store.uploads.stage(
      args.uploadId,
      passages.map(({ start, end, page, headings, text, vector }) => ({
        start,
        end,
        page,
        headings: isSealed ? headings : [],
        text: isSealed ? text : null,
        textHash: keys.textHash(text),
        vector: bytesOf(vector),
      })),
    );
    return { result: null };
  },
  async finishDocument({ options, keys, loaded }, { uploadId }) {
    const { store, run } = options;
    const upload = await store.uploads.running(uploadId, run);
    if (upload === undefined) throw engineErrors.uploadGone();
    await checkRoom(options, upload.passages);
    const { removed, added } = await store.uploads.finish(upload, run, (text) => keys.words(wordsOf(text)));
    replace(
      loaded(),
      removed,
      added.map(({ key, vector }) => ({ key, vector: floatsOf(vector) })),
    );
    return { result: { passages: added.length } };
  },
  async failDocument({ options: { store, run } }, { uploadId, code }) {
    const upload = await store.uploads.running(uploadId, run);
    if (upload !== undefined) await store.uploads.fail(upload, code);
    return { result: null };
  },
  async upload({ options: { store, run } }, { uploadId }) {
    return { result: (await store.uploads.state(uploadId, run)) ?? null };
  },
  async documents({ options: { store } }, { page }) {
    checkPage(page);
    return { result: await store.documents(page) };
  },
  async deleteDocument({ options: { store }, loaded }, { documentId }) {
    const removed = await store.removeDocument(documentId);
    replace(loaded(), removed ?? [], []);
    return { result: removed !== undefined };
  },
  keyedName: ({ keys }, { text }) => Promise.resolve({ result: keys.name(text) }),
  async matches({ options: { store }, keys }, { passages }) {
    checkIds(passages.map(({ id }) => id));
    const stored = await store.textHashes(passages.map(({ id }) => id));
    return {
      result: passages.map(({ id, text }) => {
        const hash = stored.get(id);
        return hash !== undefined && timingSafeEqual(hash, keys.textHash(text));
      }),
    };
  },
};

/** What a document replaces is not counted off: the bound is a bound of disk and memory, not a price. */
async function checkRoom({ store, settings, limits }: VectorDatabaseOptions, more: number): Promise<void> {
  const { records } = await store.counts();
  const fitting = Math.floor((limits.databaseMib * 2 ** 20) / (settings.dimensions * 4));
  const max = Math.min(limits.recordsMax, fitting);
  if (more > 0 && records + more > max) throw engineErrors.full(max);
}

/** Brings what the file has already into memory, all at once. */
function replace(
  neighbours: Neighbours | undefined,
  removed: readonly number[],
  added: readonly { readonly key: number; readonly vector: Float32Array }[],
): void {
  if (neighbours === undefined) return;
  for (const key of removed) neighbours.remove(key);
  for (const { key, vector } of added) neighbours.add(key, vector);
}

async function bytesOnDisk(path: string): Promise<number> {
  const sizes = ['', '-wal', '-shm'].map(
    async (suffix) => (await stat(path + suffix).catch(() => undefined))?.size,
  );
  return (await Promise.all(sizes)).reduce<number>((sum, size = 0) => sum + size, 0);
}
