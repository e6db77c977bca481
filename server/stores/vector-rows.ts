import { sql } from 'kysely';
import type { Generated, Kysely, Transaction } from 'kysely';
import type { Metadata, Span, VectorSettings } from '../vectors/engine/vector-engine.ts';

export interface VectorTables {
  setting: { only: number; hash_keys: Uint8Array | null } & VectorSettings;
  total: { only: number; records: number };
  document: { key: Generated<number>; document_id: string; metadata: string };
  record: {
    key: number;
    id: string;
    document: number | null;
    start_offset: number | null;
    end_offset: number | null;
    page: number | null;
    headings: string | null;
    text_hash: Uint8Array | null;
  };
  vector: { record: number; value: Uint8Array };
  passage: { record: number; text: string };
  field: { record: number; name: string; kind: number; value: string | number | null };
  words: { record: number; counts: Uint8Array };
  upload: {
    upload_id: string;
    document_id: string;
    metadata: string;
    state: 'running' | 'completed' | 'failed';
    passages: number;
    code: string | null;
    run: string;
    begun_at: number;
  };
  staged: {
    key: Generated<number>;
    upload_id: string;
    start_offset: number;
    end_offset: number;
    page: number | null;
    headings: string;
    text: string | null;
    words: Uint8Array | null;
    text_hash: Uint8Array;
    value: Uint8Array;
  };
}

export type VectorDb = Kysely<VectorTables>;
export type VectorTx = Transaction<VectorTables>;

/** Lets others have the thread between two slices of long work; throws when the database is dropped meanwhile. */
export type Pause = () => Promise<void>;

export interface NewRecord {
  readonly id: string;
  readonly vector: Uint8Array;
  readonly metadata: Metadata;
  readonly text: string | null;
  /** Keyed hashes of the words of the text and how often each stands there, as the column `counts` has them. */
  readonly words: Uint8Array | null;
  readonly place: Place | null;
}

/** Where a passage of a document stands; `document` is the row's key. */
export interface Place extends Omit<Span, 'documentId'> {
  readonly document: number;
  readonly textHash: Uint8Array;
}

/** What the columns `kind` of the table `field` mean; a boolean is stored as 0 or 1. */
export const FIELD_KINDS = { null: 0, boolean: 1, number: 2, string: 3 } as const;

export function fieldKind(value: Metadata[string]): number {
  return FIELD_KINDS[value === null ? 'null' : (typeof value as 'boolean' | 'number' | 'string')];
}

export function fieldValue(value: Metadata[string]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value;
}

/** Rows that one statement takes or gives: short enough to keep the others waiting for a few milliseconds only. */
export const ROWS_PER_SLICE = 64;
const FIELDS_PER_STATEMENT = 2000;

export function* slices<T>(rows: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

/** What of a record is searched in memory. */
export interface Searchable {
  readonly key: number;
  readonly vector: Uint8Array;
  readonly words: Uint8Array | null;
}

/** Inserts records under new keys. Their ids must be free. */
export async function insertRecords(
  tx: VectorTx,
  records: readonly NewRecord[],
  pause: Pause,
): Promise<Searchable[]> {
  const { rows } = await sql<{ last: number }>`select coalesce(max(key), 0) as last from record`.execute(tx);
  const first = (rows[0]?.last ?? 0) + 1;
  const keyed = records.map((record, index) => ({ record, key: first + index }));
  for (const slice of slices(keyed, ROWS_PER_SLICE)) {
    await insertRecordRows(tx, slice);
    await insertVectors(tx, slice);
    await insertFields(tx, slice);
    await insertTexts(tx, slice);
    await pause();
  }
  return keyed.map(({ key, record: { vector, words } }) => ({ key, vector, words }));
}

interface Keyed {
  readonly key: number;
  readonly record: NewRecord;
}

async function insertRecordRows(tx: VectorTx, slice: readonly Keyed[]): Promise<void> {
  const values = slice.map(({ key, record: { id, place } }) => [
    key,
    id,
    place?.document ?? null,
    place?.start ?? null,
    place?.end ?? null,
    place?.page ?? null,
    place ? JSON.stringify(place.headings) : null,
    place ? Buffer.from(place.textHash).toString('hex') : null,
  ]);
  await sql`insert into record
      (key, id, document, start_offset, end_offset, page, headings, text_hash)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
      unhex(value ->> 7) from json_each(${JSON.stringify(values)})`.execute(tx);
}

/** All vectors of a slice as one parameter: a parameter each costs several times as much. */
async function insertVectors(tx: VectorTx, slice: readonly Keyed[]): Promise<void> {
  const bytes = slice[0]?.record.vector.byteLength ?? 0;
  const all = Buffer.concat(slice.map(({ record }) => record.vector));
  const keys = JSON.stringify(slice.map(({ key }) => key));
  await sql`insert into vector (record, value)
    select value, substr(${all}, key * ${bytes} + 1, ${bytes}) from json_each(${keys})`.execute(tx);
}

/** Bound one by one: numbers on their way through JSON text may lose their last bit. */
async function insertFields(tx: VectorTx, slice: readonly Keyed[]): Promise<void> {
  const fields = slice.flatMap(({ key, record }) =>
    Object.entries(record.metadata).map(([name, value]) => ({
      record: key,
      name,
      kind: fieldKind(value),
      value: fieldValue(value),
    })),
  );
  for (const some of slices(fields, FIELDS_PER_STATEMENT))
    await tx.insertInto('field').values(some).execute();
}

async function insertTexts(tx: VectorTx, slice: readonly Keyed[]): Promise<void> {
  const texts = slice.flatMap(({ key, record }) =>
    record.text === null ? [] : [{ record: key, text: record.text }],
  );
  if (texts.length > 0) await tx.insertInto('passage').values(texts).execute();
  const words = slice.flatMap(({ key, record }) =>
    record.words === null ? [] : [{ record: key, counts: Buffer.from(record.words) }],
  );
  if (words.length > 0) await tx.insertInto('words').values(words).execute();
}

/** Deletes records and all that hangs on them. */
export async function deleteRecords(tx: VectorTx, keys: readonly number[], pause: Pause): Promise<void> {
  for (const slice of slices(keys, ROWS_PER_SLICE)) {
    await sql`delete from record where key in (select value from json_each(${JSON.stringify(slice)}))`.execute(
      tx,
    );
    await pause();
  }
}

export async function keysOfIds(db: VectorDb, ids: readonly string[]): Promise<number[]> {
  const { rows } = await sql<{ key: number }>`select key from record
    where id in (select value from json_each(${JSON.stringify(ids)}))`.execute(db);
  return rows.map(({ key }) => key);
}
