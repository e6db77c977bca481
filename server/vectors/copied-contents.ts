import * as z from 'zod';
import type { Holder } from '../accounts/principal.ts';
import type { DatabaseFile } from '../databases/databases.ts';
import type { Embedder } from '../embeddings/embedder.ts';
import { PlatformError } from '../kernel/errors.ts';
import { randomBase62 } from '../kernel/ids.ts';
import { runs } from '../kernel/runs.ts';
import type { ImportOutcome, PackFile } from '../rights/copier.ts';
import type { StagedPassage, StoredRecord, VectorEngine, VectorRecord } from './engine/vector-engine.ts';
import { withHeadings } from './ingest.ts';

const Id = z.string().max(128);
const Text = z.string().max(65_536);
const Metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** `base`: the database, or the site, that it belongs to. A document's passages follow it, in their order. */
const Content = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('document'), base: Id, documentId: Id, metadata: Metadata }),
  z.strictObject({
    type: z.literal('passage'),
    base: Id,
    documentId: Id,
    start: z.int().min(0),
    end: z.int().min(0),
    page: z.int().nullable(),
    headings: z.array(Text).max(32),
    /** Null where the database keeps no texts. */
    text: Text.nullable(),
  }),
  z.strictObject({
    type: z.literal('record'),
    base: Id,
    id: Id,
    text: Text.nullable(),
    metadata: Metadata,
    /** Those that the owner brought; what a model made is made again. */
    vector: z.array(z.number()).max(4096).nullable(),
  }),
]);
export type Content = z.infer<typeof Content>;

export const CONTENTS: PackFile<Content> = {
  name: 'contents',
  title: 'Documents with their passages, and records',
  nature: 'given',
  row: Content,
};

/** What a database is, for its copy. */
export interface CopiedBase {
  readonly base: string;
  readonly file: DatabaseFile;
  /** Undefined where the owner brings all vectors. */
  readonly embedder: Embedder | undefined;
}

/** Where contents go. */
export interface TakenBase extends CopiedBase {
  /** False where the contents may break off within a document. */
  readonly isWhole: boolean;
}

type Engine = Pick<
  VectorEngine,
  'records' | 'beginDocument' | 'stage' | 'finishDocument' | 'failDocument' | 'upsert'
>;

const PAGE = 64;

/** Everything of one database, as it is searched. */
export async function* contentsOf(
  engine: Pick<VectorEngine, 'records'>,
  { base, file, hasModel }: Pick<CopiedBase, 'base' | 'file'> & { readonly hasModel: boolean },
): AsyncGenerator<Content> {
  let documentId: string | undefined;
  let after: number | null = 0;
  while (after !== null) {
    const { records, next } = await engine.records(file, { after, limit: PAGE });
    for (const record of records) {
      const { metadata, span } = record;
      if (span !== null && span.documentId !== documentId)
        yield { type: 'document', base, documentId: span.documentId, metadata };
      documentId = span?.documentId;
      yield contentOf(base, record, hasModel);
    }
    after = next;
  }
}

function contentOf(base: string, record: StoredRecord, hasModel: boolean): Content {
  const { id, metadata, text, span, vector } = record;
  if (span === null)
    return { type: 'record', base, id, text, metadata, vector: hasModel ? null : Array.from(vector) };
  const { headings, ...place } = span;
  return { type: 'passage', base, ...place, headings: [...headings], text };
}

export interface Taking {
  readonly engine: Engine;
  readonly accountId: Holder['accountId'];
  readonly to: TakenBase;
}

/** Takes over contents of one database: a document, or some records, all or nothing. */
export async function takeContents(
  taking: Taking,
  contents: AsyncIterable<Content>,
  outcome: ImportOutcome,
): Promise<void> {
  const keyOf = (content: Content): string =>
    content.type === 'record' ? 'records' : `document ${content.documentId}`;
  let isOver = false;
  const untilOver = (async function* (): AsyncGenerator<Content> {
    yield* contents;
    isOver = true;
  })();
  // Runs look one ahead, so the last is known when it has been read.
  const isCut = (): boolean => isOver && !taking.to.isWhole;
  for await (const { first, items } of runs(untilOver, keyOf)) {
    if (first.type === 'record') await takeRecords(taking, items, outcome);
    else await takeDocument(taking, items, { documentId: first.documentId, outcome, isCut });
  }
}

async function takeDocument(
  { engine, accountId, to }: Taking,
  contents: AsyncIterable<Content>,
  {
    documentId,
    outcome,
    isCut,
  }: { readonly documentId: string; readonly outcome: ImportOutcome; readonly isCut: () => boolean },
): Promise<void> {
  const { file, embedder } = to;
  const uploadId = `upl_${file.id.slice('db_'.length)}${randomBase62(16)}`;
  try {
    if (embedder === undefined) throw textNotKept();
    for await (const batch of batches(contents)) {
      const [head] = batch;
      if (head?.type === 'document')
        await engine.beginDocument(file, { uploadId, documentId, metadata: head.metadata });
      const passages = batch.filter((content) => content.type === 'passage');
      await engine.stage(file, uploadId, await staged({ accountId, embedder }, passages));
    }
    if (isCut()) throw cutShort();
    await engine.finishDocument(file, uploadId);
    outcome.taken('document');
  } catch (thrown) {
    if (thrown instanceof PlatformError)
      await engine.failDocument(file, uploadId, thrown.code).catch(() => undefined);
    outcome.left('document', documentId, thrown);
  }
}

type Embedding = Pick<Taking, 'accountId'> & { readonly embedder: Embedder };
type Passage = Extract<Content, { type: 'passage' }>;

async function staged(
  { accountId, embedder }: Embedding,
  passages: readonly Passage[],
): Promise<StagedPassage[]> {
  const texts = passages.map(({ text, headings }) => withHeadings({ text: text ?? missing(), headings }));
  const vectors = await embedded({ accountId, embedder }, texts);
  return passages.map(({ start, end, page, headings, text }, at) => ({
    start,
    end,
    page,
    headings,
    text: text ?? '',
    vector: vectors[at] ?? new Float32Array(),
  }));
}

async function embedded(
  { accountId, embedder }: Embedding,
  texts: readonly string[],
): Promise<Float32Array[]> {
  const { signal } = new AbortController();
  return texts.length === 0 ? [] : await embedder.embed({ accountId, texts, purpose: 'passage', signal });
}

async function takeRecords(
  { engine, accountId, to }: Taking,
  contents: AsyncIterable<Content>,
  outcome: ImportOutcome,
): Promise<void> {
  const { file, embedder } = to;
  for await (const batch of batches(contents)) {
    const records = batch.filter((content) => content.type === 'record');
    try {
      const made =
        embedder &&
        (await embedded(
          { accountId, embedder },
          records.map(({ text }) => text ?? missing()),
        ));
      await engine.upsert(
        file,
        records.map(({ id, text, metadata, vector }, at): VectorRecord => ({
          id,
          metadata,
          vector: made?.[at] ?? Float32Array.from(vector ?? []),
          ...(text !== null && { text }),
        })),
      );
      for (const _record of records) outcome.taken('record');
    } catch (thrown) {
      for (const { id } of records) outcome.left('record', id, thrown);
    }
  }
}

async function* batches(contents: AsyncIterable<Content>): AsyncGenerator<Content[]> {
  let batch: Content[] = [];
  for await (const content of contents) {
    batch.push(content);
    if (batch.length < PAGE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function missing(): never {
  throw textNotKept();
}

function cutShort(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'rights.cut_short',
    message: 'The document could not be read to its end where the copy was made.',
  });
}

function textNotKept(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'rights.text_not_kept',
    message: 'Its text was not kept, so it cannot be made again here. Send the document again.',
  });
}
