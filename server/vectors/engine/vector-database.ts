import { timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { NewRecord } from '../../stores/vector-rows.ts';
import type { VectorStore } from '../../stores/vector-store.ts';
import type { Replaced, StagedRow } from '../../stores/vector-uploads.ts';
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
import { type DatabaseKeys, hashing } from './database-keys.ts';
import { engineErrors } from './engine-errors.ts';
import { bytesOf, floatsOf } from './frames.ts';
import { wordsOf } from './keywords.ts';
import { createNeighbours, type Neighbours } from './neighbours.ts';
import type { DatabaseRequest, Method, Methods, StoreLimits } from './protocol.ts';
import { searchRecords } from './search-records.ts';
import { createWordIndex, packWords, type WordIndex } from './word-index.ts';
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
  /** As `newHashKeys` makes them. */
  readonly hashKeys: Uint8Array;
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
  /** What is in memory, loaded now if it is not. */
  readonly neighbours: () => Promise<Neighbours>;
  readonly words: () => Promise<WordIndex>;
  /** The same if it is loaded: a change has to reach it. */
  readonly loaded: Loaded;
}

interface Loaded {
  neighbours?: Neighbours;
  words?: WordIndex;
}

type Handler<M extends Method> = (
  opened: Opened,
  args: Methods[M]['args'],
  request: { readonly vectors: readonly Float32Array[]; readonly now: number },
) => Promise<Answer<M>>;

export function openVectorDatabase(options: VectorDatabaseOptions): VectorDatabase {
  const { store, settings, limits, clock, pause } = options;
  const loaded: Loaded = {};

  async function neighbours(): Promise<Neighbours> {
    if (loaded.neighbours !== undefined) return loaded.neighbours;
    const loading = createNeighbours({ ...settings, exactMax: limits.exactMax, clock, pause });
    for await (const slice of store.vectors()) {
      for (const { key, value } of slice) loading.add(key, floatsOf(value));
    }
    return (loaded.neighbours = loading);
  }

  async function words(): Promise<WordIndex> {
    if (loaded.words !== undefined) return loaded.words;
    const loading = createWordIndex(pause);
    for await (const slice of store.words()) {
      for (const { key, value } of slice) loading.add(key, value);
    }
    return (loaded.words = loading);
  }

  const opened: Opened = { options, keys: hashing(options.hashKeys), neighbours, words, loaded };
  return {
    answer({ method, args, now }, vectors) {
      const handler = HANDLERS[method] as Handler<Method>;
      return handler(opened, args, { vectors, now });
    },
    get bytes() {
      return (loaded.neighbours?.bytes ?? 0) + (loaded.words?.bytes ?? 0);
    },
    build: () => loaded.neighbours?.build() ?? false,
    close: () => store.close(),
  };
}

const HANDLERS: { readonly [M in Method]: Handler<M> } = {
  // Whoever opens a new one makes it: this one was there.
  create: () => Promise.reject(engineErrors.exists()),
  async describe({ options: { store, settings, path, limits }, loaded }) {
    const { records, documents } = await store.counts();
    const index = loaded.neighbours?.state ?? (records > limits.exactMax ? 'building' : 'exact');
    return { result: { ...settings, records, documents, bytes: await bytesOnDisk(path), index } };
  },
  async upsert({ options, keys, loaded }, args, { vectors }) {
    const { store, settings } = options;
    const given = args.records.map((record, index) => ({ ...record, vector: vectors[index] ?? NONE }));
    checkRecords(given, settings);
    // The last of several with one id counts.
    const records = [...new Map(given.map((record) => [record.id, record])).values()];
    await checkRoom(options, records.length - (await store.idsTaken(records.map(({ id }) => id))));
    const rows: NewRecord[] = [];
    for (const { id, vector, metadata = {}, text = null } of records) {
      const words = packWords(wordsOf(text ?? ''), keys.word);
      rows.push({ id, vector: bytesOf(vector), metadata, text, words, place: null });
      await options.pause();
    }
    const { removed, added } = await store.put(rows);
    replace(loaded, { removed, added });
    return { result: { inserted: added.length - removed.length, updated: removed.length } };
  },
  async delete({ options: { store }, loaded }, { what }) {
    if ('ids' in what) checkIds(what.ids);
    else checkFilter(what.filter);
    return { result: await store.remove(what, (removed) => replace(loaded, { removed, added: [] })) };
  },
  async search({ options: { store, settings }, keys, neighbours, words }, { search }, { vectors: [vector] }) {
    const wanted = { ...search, ...(vector !== undefined && { vector }) };
    checkSearch(wanted, settings);
    return { result: await searchRecords({ store, keys, neighbours, words }, wanted) };
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
    const rows: StagedRow[] = [];
    for (const { start, end, page, headings, text, vector } of passages) {
      const kept = isSealed
        ? { headings, text, words: packWords(wordsOf(text), keys.word) }
        : { headings: [], text: null, words: null };
      rows.push({ start, end, page, ...kept, textHash: keys.textHash(text), vector: bytesOf(vector) });
      await options.pause();
    }
    await store.uploads.stage(args.uploadId, rows);
    return { result: null };
  },
  async finishDocument({ options, loaded }, { uploadId }) {
    const { store, run } = options;
    const upload = await store.uploads.running(uploadId, run);
    if (upload === undefined) throw engineErrors.uploadGone();
    await checkRoom(options, upload.passages);
    const { removed, added } = await store.uploads.finish(upload, run);
    replace(loaded, { removed, added });
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
  async records({ options: { store } }, { page }) {
    checkPage(page);
    const slice = await store.records(page);
    return {
      result: {
        records: slice.map(({ key: _key, value: _value, ...record }) => record),
        next: slice.length < page.limit ? null : (slice.at(-1)?.key ?? null),
      },
      vectors: slice.map(({ value }) => floatsOf(value)),
    };
  },
  async deleteDocument({ options: { store }, loaded }, { documentId }) {
    const removed = await store.removeDocument(documentId);
    replace(loaded, { removed: removed ?? [], added: [] });
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
function replace({ neighbours, words }: Loaded, { removed, added }: Replaced): void {
  for (const key of removed) {
    neighbours?.remove(key);
    words?.remove(key);
  }
  for (const row of added) {
    neighbours?.add(row.key, floatsOf(row.vector));
    if (row.words !== null) words?.add(row.key, row.words);
  }
}

async function bytesOnDisk(path: string): Promise<number> {
  const sizes = ['', '-wal', '-shm'].map(
    async (suffix) => (await stat(path + suffix).catch(() => undefined))?.size,
  );
  return (await Promise.all(sizes)).reduce<number>((sum, size = 0) => sum + size, 0);
}
