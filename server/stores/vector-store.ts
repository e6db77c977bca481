import { sql } from 'kysely';
import type {
  Filter,
  Metadata,
  PendingDocument,
  SearchHit,
  Span,
  StoredDocument,
  UploadState,
  VectorSettings,
} from '../vectors/engine/vector-engine.ts';
import { vectors } from './migrations/vectors/001-vectors.ts';
import { hashKeys } from './migrations/vectors/002-hash-keys.ts';
import { type EncryptedStore, openEncrypted } from './sqlite.ts';
import { matchingRecords } from './vector-filter.ts';
import {
  deleteRecords,
  FIELD_KINDS,
  insertRecords,
  keysOfIds,
  ROWS_PER_SLICE,
  slices,
} from './vector-rows.ts';
import type { NewRecord, Pause, VectorDb, VectorTables } from './vector-rows.ts';
import {
  type Asker,
  beginUpload,
  failUpload,
  finishUpload,
  forgetOldUploads,
  removeDocument,
  type Replaced,
  runningUpload,
  type StagedRow,
  stageRows,
  uploadState,
  vectorsOfTexts,
} from './vector-uploads.ts';

export const vectorMigrations = [vectors, hashKeys];

/**
 * One vector database's file: records, words, documents and their uploads. Long work gives way to others by `pause`.
 * What is deleted or replaced is gone from the disk when the method resolves.
 */
export interface VectorStore {
  /** Undefined until `prepare` was called. */
  settings(): Promise<VectorSettings | undefined>;
  prepare(settings: VectorSettings): Promise<void>;
  /** Under which its hashes are made: what was given the first time. 96 bytes. */
  hashKeys(first: Uint8Array): Promise<Uint8Array>;
  counts(): Promise<{ readonly records: number; readonly documents: number }>;
  /** Every vector with its record's key, in slices. */
  vectors(): AsyncGenerator<{ readonly key: number; readonly value: Uint8Array }[]>;
  /** The words of every record that has some, in the same way. */
  words(): AsyncGenerator<{ readonly key: number; readonly value: Uint8Array }[]>;
  /** Inserts, in place of records with the same ids. */
  put(records: readonly NewRecord[]): Promise<Replaced>;
  idsTaken(ids: readonly string[]): Promise<number>;
  /** Deletes slice by slice, each of which `onRemoved` hears; returns how many. */
  remove(
    what: { readonly ids: readonly string[] } | { readonly filter: Filter },
    onRemoved: (keys: readonly number[]) => void,
  ): Promise<number>;
  matching(filter: Filter): Promise<number[]>;
  hits(keys: readonly number[]): Promise<Map<number, StoredHit>>;
  /** Keyed hashes of passages' texts, by id. */
  textHashes(ids: readonly string[]): Promise<Map<string, Uint8Array>>;

  /** Records with their vectors, by key. */
  records(page: {
    readonly after?: number;
    readonly limit: number;
  }): Promise<(StoredHit & { readonly key: number; readonly value: Uint8Array })[]>;
  documents(page: { readonly after?: string; readonly limit: number }): Promise<StoredDocument[]>;
  /** With all its uploads. Keys of its records; undefined where there was no such document. */
  removeDocument(documentId: string): Promise<number[] | undefined>;
  readonly uploads: UploadStore;

  /** Whether more than half of the file is free pages, and worth the work of giving them back. */
  isWasteful(): Promise<boolean>;
  close(): Promise<void>;
}

export interface UploadStore {
  forgetOld(asker: Asker): Promise<void>;
  begin(document: PendingDocument, asker: Asker): Promise<void>;
  running(uploadId: string, run: string): Promise<VectorTables['upload'] | undefined>;
  stage(uploadId: string, rows: readonly StagedRow[]): Promise<void>;
  finish(upload: VectorTables['upload'], run: string): Promise<Replaced>;
  fail(upload: VectorTables['upload'], code: string): Promise<void>;
  state(uploadId: string, run: string): Promise<UploadState | undefined>;
  /** Vectors of stored and staged passages, by keyed hash of their text in hexadecimal. */
  vectorsOfTexts(hashes: readonly string[]): Promise<Map<string, Uint8Array>>;
}

export type StoredHit = Pick<SearchHit, 'id' | 'metadata' | 'text' | 'span'>;

export interface VectorStoreOptions {
  readonly path: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly pause: Pause;
}

/** Less than this is not worth giving back. */
const WASTE_BYTES_MIN = 256 * 1024;

/** Errors: `stores.*`. */
export async function openVectorStore({ path, key, pause }: VectorStoreOptions): Promise<VectorStore> {
  const store = await openVectors({ path, key });
  const { db } = store;
  const checkpoint = (): void => store.checkpoint();

  async function* all(
    table: 'vector' | 'words',
    column: 'value' | 'counts',
  ): ReturnType<VectorStore['vectors']> {
    for (let after = 0; ;) {
      const { rows } = await sql<{ key: number; value: Uint8Array }>`
        select record as key, ${sql.ref(column)} as value from ${sql.table(table)}
        where record > ${after} order by record limit ${ROWS_PER_SLICE}`.execute(db);
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)?.key ?? after;
      await pause();
    }
  }

  return {
    settings: () =>
      db.selectFrom('setting').select(['kind', 'dimensions', 'metric', 'model']).executeTakeFirst(),
    prepare: (settings) => prepare(db, settings),
    hashKeys: (first) => keptHashKeys(db, first),
    counts: () => counts(db),
    vectors: () => all('vector', 'value'),
    words: () => all('words', 'counts'),
    async put(records) {
      const change = await put(db, records, pause);
      if (change.removed.length > 0) checkpoint();
      return change;
    },
    idsTaken: async (ids) => (await keysOfIds(db, ids)).length,
    async remove(what, onRemoved) {
      const keys = 'ids' in what ? await keysOfIds(db, what.ids) : await matching(db, what.filter);
      for (const slice of slices(keys, ROWS_PER_SLICE)) {
        await db.transaction().execute((tx) => deleteRecords(tx, slice, pause));
        onRemoved(slice);
      }
      if (keys.length > 0) checkpoint();
      return keys.length;
    },
    matching: (filter) => matching(db, filter),
    hits: (keys) => hits(db, keys),
    textHashes: (ids) => textHashes(db, ids),
    records: (page) => records(db, page),
    documents: (page) => documents(db, page),
    async removeDocument(documentId) {
      const removed = await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('upload').where('document_id', '=', documentId).execute();
        return await removeDocument(tx, documentId, pause);
      });
      checkpoint();
      return removed;
    },
    uploads: uploadStore(db, checkpoint, pause),
    isWasteful: () => isWasteful(db),
    close: () => store.close(),
  };
}

/** Gives free pages back, by writing the file anew; in memory on the way, and atomic. Errors: `stores.*`. */
export async function compactVectorStore({ path, key }: Omit<VectorStoreOptions, 'pause'>): Promise<void> {
  const store = await openVectors({ path, key });
  await sql`vacuum`.execute(store.db);
  store.checkpoint();
  await store.close();
}

function openVectors({
  path,
  key,
}: Omit<VectorStoreOptions, 'pause'>): Promise<EncryptedStore<VectorTables>> {
  return openEncrypted({ name: 'vectors', path, key, migrations: vectorMigrations });
}

function uploadStore(db: VectorDb, checkpoint: () => void, pause: Pause): UploadStore {
  return {
    async forgetOld(asker) {
      if (await forgetOldUploads(db, asker)) checkpoint();
    },
    begin: (document, asker) => beginUpload(db, document, asker),
    running: (uploadId, run) => runningUpload(db, uploadId, run),
    stage: (uploadId, rows) => stageRows(db, uploadId, rows),
    async finish(upload, run) {
      const replaced = await finishUpload(db, { upload, run, pause });
      checkpoint();
      return replaced;
    },
    async fail(upload, code) {
      await failUpload(db, upload, code);
      checkpoint();
    },
    state: (uploadId, run) => uploadState(db, uploadId, run),
    vectorsOfTexts: (hashes) => vectorsOfTexts(db, hashes),
  };
}

async function prepare(db: VectorDb, settings: VectorSettings): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('setting')
      .values({ only: 1, hash_keys: null, ...settings })
      .execute();
    await tx.insertInto('total').values({ only: 1, records: 0 }).execute();
  });
}

async function keptHashKeys(db: VectorDb, first: Uint8Array): Promise<Uint8Array> {
  const { hash_keys: kept } = await db.selectFrom('setting').select('hash_keys').executeTakeFirstOrThrow();
  if (kept !== null) return kept;
  await db.updateTable('setting').set({ hash_keys: first }).execute();
  return first;
}

async function counts(db: VectorDb): Promise<{ records: number; documents: number }> {
  const { records } = await db.selectFrom('total').select('records').executeTakeFirstOrThrow();
  const { documents: count } = await db
    .selectFrom('document')
    .select(({ fn }) => fn.countAll<number>().as('documents'))
    .executeTakeFirstOrThrow();
  return { records, documents: count };
}

async function put(db: VectorDb, records: readonly NewRecord[], pause: Pause): Promise<Replaced> {
  return await db.transaction().execute(async (tx) => {
    const removed = await keysOfIds(
      tx,
      records.map(({ id }) => id),
    );
    await deleteRecords(tx, removed, pause);
    return { removed, added: await insertRecords(tx, records, pause) };
  });
}

/** As one text: a row for each key costs more than finding them. */
async function matching(db: VectorDb, filter: Filter): Promise<number[]> {
  const { rows } = await sql<{ keys: string }>`
    select json_group_array(key) as keys from (${matchingRecords(filter)})`.execute(db);
  return JSON.parse(rows[0]?.keys ?? '[]') as number[];
}

interface HitRow {
  key: number;
  id: string;
  text: string | null;
  document_id: string | null;
  start_offset: number;
  end_offset: number;
  page: number | null;
  headings: string;
}

async function hits(db: VectorDb, keys: readonly number[]): Promise<Map<number, StoredHit>> {
  const wanted = sql`select value from json_each(${JSON.stringify(keys)})`;
  const { rows } = await sql<HitRow>`
    select record.key, id, text, document_id, start_offset, end_offset, page, headings
    from record left join passage on passage.record = record.key left join document on document.key = record.document
    where record.key in (${wanted})`.execute(db);
  const { rows: fields } = await sql<VectorTables['field']>`
    select record, name, kind, value from field where record in (${wanted})`.execute(db);
  const byRecord = Map.groupBy(fields, ({ record }) => record);
  return new Map(rows.map((row) => [row.key, toHit(row, byRecord.get(row.key) ?? [])]));
}

function toHit(row: HitRow, fields: readonly VectorTables['field'][]): StoredHit {
  const metadata: Metadata = Object.fromEntries(
    fields.map(({ name, kind, value }) => [name, kind === FIELD_KINDS.boolean ? value === 1 : value]),
  );
  return { id: row.id, metadata, text: row.text, span: toSpan(row) };
}

function toSpan(row: HitRow): Span | null {
  if (row.document_id === null) return null;
  return {
    documentId: row.document_id,
    start: row.start_offset,
    end: row.end_offset,
    page: row.page,
    headings: JSON.parse(row.headings) as string[],
  };
}

async function textHashes(db: VectorDb, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
  const { rows } = await sql<{ id: string; text_hash: Uint8Array }>`
    select id, text_hash from record
    where id in (select value from json_each(${JSON.stringify(ids)})) and text_hash is not null`.execute(db);
  return new Map(rows.map((row) => [row.id, row.text_hash]));
}

async function records(
  db: VectorDb,
  { after = 0, limit }: { readonly after?: number; readonly limit: number },
): ReturnType<VectorStore['records']> {
  const { rows } = await sql<{ key: number; value: Uint8Array }>`
    select record as key, value from vector where record > ${after} order by record limit ${limit}`.execute(
    db,
  );
  const found = await hits(
    db,
    rows.map(({ key }) => key),
  );
  return rows.flatMap(({ key, value }) => {
    const hit = found.get(key);
    return hit === undefined ? [] : [{ ...hit, key, value }];
  });
}

async function documents(
  db: VectorDb,
  { after = '', limit }: { readonly after?: string; readonly limit: number },
): Promise<StoredDocument[]> {
  const rows = await db
    .selectFrom('document')
    .where('document_id', '>', after)
    .orderBy('document_id')
    .limit(limit)
    .select((select) => [
      'document_id',
      'metadata',
      select
        .selectFrom('record')
        .whereRef('record.document', '=', 'document.key')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .as('passages'),
    ])
    .execute();
  return rows.map((row) => ({
    documentId: row.document_id,
    passages: row.passages ?? 0,
    metadata: JSON.parse(row.metadata) as Metadata,
  }));
}

async function isWasteful(db: VectorDb): Promise<boolean> {
  const { rows } = await sql<{ free: number; pages: number; bytes: number }>`
    select freelist_count as free, page_count as pages, page_size as bytes
    from pragma_freelist_count, pragma_page_count, pragma_page_size`.execute(db);
  const { free = 0, pages = 0, bytes = 0 } = rows[0] ?? {};
  return free * bytes >= WASTE_BYTES_MIN && free * 2 >= pages;
}
