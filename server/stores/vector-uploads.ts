import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { Metadata, PendingDocument, UploadState } from '../vectors/engine/vector-engine.ts';
import { deleteRecords, insertRecords, keysOfIds, ROWS_PER_SLICE } from './vector-rows.ts';
import type { NewRecord, Pause, Searchable, VectorDb, VectorTables, VectorTx } from './vector-rows.ts';

/** The process that asks, as a random number of 32 hexadecimal digits, and when, in epoch milliseconds. */
export interface Asker {
  readonly run: string;
  readonly now: number;
}

export interface StagedRow {
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly headings: readonly string[];
  /** Null in strict databases. */
  readonly text: string | null;
  readonly words: Uint8Array | null;
  readonly textHash: Uint8Array;
  readonly vector: Uint8Array;
}

/** What an upload changed: keys that are gone, and the new ones with what is searched. */
export interface Replaced {
  readonly removed: readonly number[];
  readonly added: readonly Searchable[];
}

const KEPT_MS = 24 * 60 * 60 * 1000;

/** Forgets uploads of yesterday, whatever became of them. Returns whether there were any. */
export async function forgetOldUploads(db: VectorDb, { run, now }: Asker): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('upload')
    .where('begun_at', '<', now - KEPT_MS)
    .where((where) => where.or([where('state', '!=', 'running'), where('run', '!=', run)]))
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function beginUpload(
  db: VectorDb,
  { uploadId, documentId, metadata }: PendingDocument,
  { run, now }: Asker,
): Promise<void> {
  await db
    .insertInto('upload')
    .values({
      upload_id: uploadId,
      document_id: documentId,
      metadata: JSON.stringify(metadata),
      state: 'running',
      passages: 0,
      code: null,
      run,
      begun_at: now,
    })
    .execute();
}

/** Undefined where no upload of that id runs in this process. */
export async function runningUpload(
  db: VectorDb,
  uploadId: string,
  run: string,
): Promise<VectorTables['upload'] | undefined> {
  const row = await db.selectFrom('upload').selectAll().where('upload_id', '=', uploadId).executeTakeFirst();
  return row?.state === 'running' && row.run === run ? row : undefined;
}

export async function stageRows(db: VectorDb, uploadId: string, rows: readonly StagedRow[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const values = rows.map((row) => ({
      upload_id: uploadId,
      start_offset: row.start,
      end_offset: row.end,
      page: row.page,
      headings: JSON.stringify(row.headings),
      text: row.text,
      words: row.words && Buffer.from(row.words),
      text_hash: Buffer.from(row.textHash),
      value: Buffer.from(row.vector),
    }));
    for (let from = 0; from < values.length; from += ROWS_PER_SLICE) {
      await tx
        .insertInto('staged')
        .values(values.slice(from, from + ROWS_PER_SLICE))
        .execute();
    }
    await tx
      .updateTable('upload')
      .set((set) => ({ passages: set('passages', '+', rows.length) }))
      .where('upload_id', '=', uploadId)
      .execute();
  });
}

export interface Finishing {
  readonly upload: VectorTables['upload'];
  readonly run: string;
  readonly pause: Pause;
}

/** Replaces the document's records by the staged ones, all in one transaction. */
export async function finishUpload(db: VectorDb, { upload, run, pause }: Finishing): Promise<Replaced> {
  return await db.transaction().execute(async (tx) => {
    const removed = (await removeDocument(tx, upload.document_id, pause)) ?? [];
    const { key: document } = await tx
      .insertInto('document')
      .values({ document_id: upload.document_id, metadata: upload.metadata })
      .returning('key')
      .executeTakeFirstOrThrow();
    const added: Searchable[] = [];
    for (let after = 0; ;) {
      const staged = await stagedAfter(tx, upload.upload_id, after);
      if (staged.length === 0) break;
      const from = added.length;
      const metadata = JSON.parse(upload.metadata) as Metadata;
      const records = staged.map((row, index): NewRecord => ({
        id: `${upload.document_id}#${from + index + 1}`,
        vector: row.value,
        metadata,
        text: row.text,
        words: row.words,
        place: {
          document,
          start: row.start_offset,
          end: row.end_offset,
          page: row.page,
          headings: JSON.parse(row.headings) as string[],
          textHash: row.text_hash,
        },
      }));
      // Records of the owner that he called like passages of this document.
      const taken = await keysOfIds(
        tx,
        records.map(({ id }) => id),
      );
      await deleteRecords(tx, taken, pause);
      removed.push(...taken);
      added.push(...(await insertRecords(tx, records, pause)));
      after = staged.at(-1)?.key ?? after;
    }
    await endUpload(tx, upload, { state: 'completed', code: null, passages: added.length });
    await sql`delete from staged where upload_id in (select upload_id from upload
      where document_id = ${upload.document_id} and not (state = 'running' and run = ${run}))`.execute(tx);
    return { removed, added };
  });
}

function stagedAfter(
  tx: VectorTx,
  uploadId: string,
  after: number,
): Promise<Selectable<VectorTables['staged']>[]> {
  return tx
    .selectFrom('staged')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('key', '>', after)
    .orderBy('key')
    .limit(ROWS_PER_SLICE)
    .execute();
}

/** Deletes a document with its records, whose keys it returns; undefined where there is none. */
export async function removeDocument(
  tx: VectorTx,
  documentId: string,
  pause: Pause,
): Promise<number[] | undefined> {
  const document = await tx
    .selectFrom('document')
    .select('key')
    .where('document_id', '=', documentId)
    .executeTakeFirst();
  if (document === undefined) return undefined;
  const rows = await tx.selectFrom('record').select('key').where('document', '=', document.key).execute();
  const keys = rows.map(({ key }) => key);
  await deleteRecords(tx, keys, pause);
  await tx.deleteFrom('document').where('key', '=', document.key).execute();
  return keys;
}

export async function failUpload(db: VectorDb, upload: VectorTables['upload'], code: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await endUpload(tx, upload, { state: 'failed', code, passages: 0 });
    await tx.deleteFrom('staged').where('upload_id', '=', upload.upload_id).execute();
  });
}

async function endUpload(
  tx: VectorTx,
  { upload_id: uploadId }: VectorTables['upload'],
  end: Pick<VectorTables['upload'], 'state' | 'code' | 'passages'>,
): Promise<void> {
  const row = { ...end, metadata: '{}' };
  await tx.updateTable('upload').set(row).where('upload_id', '=', uploadId).execute();
}

export async function uploadState(
  db: VectorDb,
  uploadId: string,
  run: string,
): Promise<UploadState | undefined> {
  const row = await db.selectFrom('upload').selectAll().where('upload_id', '=', uploadId).executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    uploadId,
    documentId: row.document_id,
    status: row.state === 'running' && row.run !== run ? 'interrupted' : row.state,
    passages: row.passages,
    code: row.code,
  };
}

/** Vectors of passages and of staged ones, by keyed hash (hexadecimal). */
export async function vectorsOfTexts(
  db: VectorDb,
  hashes: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const wanted = sql`select unhex(value) from json_each(${JSON.stringify(hashes)})`;
  const { rows } = await sql<{ hash: string; value: Uint8Array }>`
    select lower(hex(text_hash)) as hash, value from record join vector on vector.record = record.key
      where text_hash in (${wanted})
    union all
    select lower(hex(text_hash)), value from staged where text_hash in (${wanted})`.execute(db);
  return new Map(rows.map(({ hash, value }) => [hash, value]));
}
