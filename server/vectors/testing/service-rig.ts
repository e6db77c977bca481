import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FunctionTool, ToolResult } from '../../ai/function-tool.ts';
import type { CallRecord } from '../../calls/call-record.ts';
import { createDatabases } from '../../databases/create-databases.ts';
import type { DocumentReader, Passage } from '../../documents/document-reader.ts';
import type { Embedder } from '../../embeddings/embedder.ts';
import { orAborted } from '../../kernel/abort.ts';
import { systemClock } from '../../kernel/clock.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { AccountId, ApiKeyId } from '../../kernel/ids.ts';
import { systemScheduler } from '../../kernel/scheduler.ts';
import { Secret } from '../../kernel/secret.ts';
import { createKeyRing } from '../../keys/key-ring.ts';
import { createReceipts } from '../../keys/receipts.ts';
import type { ChatModel } from '../../models/chat-model.ts';
import { openDatabaseStore } from '../../stores/database-store.ts';
import { openKeyStore } from '../../stores/key-store.ts';
import { databaseFiles } from '../../stores/rekey.ts';
import { createVectors } from '../create-vectors.ts';
import { createVectorEngine } from '../engine/create-vector-engine.ts';
import { type VectorLimits, vectorLimits } from '../limits.ts';
import type { Asker, NewDocument, UploadProgress, Vectors } from '../vectors.ts';

export interface ServiceRig {
  readonly vectors: Vectors;
  readonly records: CallRecord[];
  /** Texts that were embedded, in order. */
  readonly embedded: string[];
  /** What the resolver function was asked for, and what it answers. */
  readonly resolver: { asked: unknown[]; answer: (passages: readonly Place[]) => Partial<ToolResult> };
  /** The model that answers; none at first. */
  model: ChatModel | PlatformError;
  /** Awaited before each batch is embedded. */
  beforeEmbedding: () => Promise<void>;
  /** The same databases under a new service and engine, as after a restart of the server. */
  restart(limits?: Partial<VectorLimits>): Promise<ServiceRig>;
}

export interface Place {
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
}

export const NO_MODEL = new PlatformError({
  kind: 'failed_precondition',
  code: 'models.none_configured',
  message: 'There is none.',
});

/** The real catalogue and engine; embedder, reader, model and functions are stand-ins that a test can look into. */
export async function startService(limits: Partial<VectorLimits> = {}): Promise<ServiceRig> {
  const dir = mkdtempSync(join(tmpdir(), 'vector-service-'));
  const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
  const keyStore = await openKeyStore({ path: join(dir, 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keyStore });
  const store = await openDatabaseStore({ path: join(dir, 'databases.db'), keyRing });
  const opened = {
    keyRing,
    store,
    receipts: await createReceipts(keyRing),
    directory: join(dir, 'databases'),
  };
  onTestFinished(async () => {
    await store.close();
    await keyStore.close();
    rmSync(dir, { recursive: true });
  });
  return await serve(opened, limits);
}

type Opened = Omit<Parameters<typeof createDatabases>[0], 'clock' | 'files'>;

async function serve(opened: Opened, limits: Partial<VectorLimits>): Promise<ServiceRig> {
  const parts = { clock: systemClock, scheduler: systemScheduler };
  const engine = createVectorEngine({ ...parts, events: { emit: () => undefined } });
  const databases = await createDatabases({ ...opened, clock: systemClock, files: databaseFiles });
  databases.onDropped((id) => engine.forget(id));
  databases.onRotating({ pause: (id) => engine.forget(id), resume: (id) => engine.recall(id) });
  const records: CallRecord[] = [];
  const embedder = wordEmbedder();
  const vectors = createVectors({
    ...parts,
    databases,
    engine,
    recorder: {
      admit: () => undefined,
      add: (record) => void records.push(record),
      whenRoom: (task) => task(),
    },
    reader: paragraphReader(),
    embedders: {
      list: () => Promise.resolve([embedder.model]),
      select: (_accountId, model) =>
        model === undefined || model === embedder.model.model
          ? Promise.resolve(embedder.model)
          : Promise.reject(failed('embeddings.unknown_model')),
      close: () => Promise.resolve(),
    },
    models: {
      select: () =>
        rig.model instanceof PlatformError ? Promise.reject(rig.model) : Promise.resolve(rig.model),
    },
    tools: {
      named: (_principal, [name]) =>
        name === 'resolver'
          ? Promise.resolve([resolverTool(rig)])
          : Promise.reject(failed('function.not_found')),
    },
    limits: { ...vectorLimits, batchPassages: 2, ...limits },
  });
  const close = async (): Promise<void> => {
    await vectors.close();
    await engine.close();
  };
  onTestFinished(close);
  const rig: ServiceRig = {
    vectors,
    records,
    embedded: embedder.embedded,
    resolver: { asked: [], answer: () => ({ ok: false, status: 500 }) },
    model: NO_MODEL,
    beforeEmbedding: () => Promise.resolve(),
    async restart(changed = limits) {
      await close();
      return await serve(opened, changed);
    },
  };
  embedder.before = () => rig.beforeEmbedding();
  return rig;
}

function failed(code: string): PlatformError {
  return new PlatformError({ kind: 'failed_precondition', code, message: 'No.' });
}

const DIMENSIONS = 64;

/** Texts with the same words are alike: each word is one of a few directions. */
function wordEmbedder(): { model: Embedder; embedded: string[]; before: () => Promise<void> } {
  const embedded: string[] = [];
  const made = {
    embedded,
    before: () => Promise.resolve(),
    model: {
      model: 'words@1',
      dimensions: DIMENSIONS,
      isOutside: false,
      retention: 'none',
      tokensMax: 256,
      async embed({ texts, purpose, signal }) {
        if (purpose === 'passage') await orAborted(made.before(), signal);
        embedded.push(...texts);
        return texts.map(vectorOf);
      },
    } satisfies Embedder,
  };
  return made;
}

export function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  for (const [word] of text.toLowerCase().matchAll(/\w+/g)) {
    const direction = Buffer.from(word).reduce((hash, byte) => (hash * 31 + byte) % 997, 7);
    vector[direction % DIMENSIONS] = (vector[direction % DIMENSIONS] ?? 0) + 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((component) => component / length);
}

/** Paragraphs as passages, each on a page of its own; text that begins with `DAMAGED` cannot be read. */
function paragraphReader(): DocumentReader {
  const whole = async (content: AsyncIterable<Uint8Array>): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  return {
    async *passages({ content, signal }) {
      const text = await whole(content);
      const found = passagesOf(text);
      for (const [at, passage] of found.entries()) {
        signal.throwIfAborted();
        if (passage.text.startsWith('DAMAGED'))
          throw new PlatformError({
            kind: 'invalid_argument',
            code: 'documents.damaged',
            message: 'Damaged.',
          });
        yield { type: 'progress', pagesDone: at + 1, pages: found.length };
        yield { type: 'passage', passage };
      }
    },
    text: ({ content }) => whole(content),
    close: () => Promise.resolve(),
  };
}

export function passagesOf(text: string): Passage[] {
  return [...text.matchAll(/\S(?:.|\n(?!\n))*/g)].map((match, at) => ({
    start: match.index,
    end: match.index + match[0].length,
    text: match[0],
    page: at + 1,
    headings: [],
  }));
}

function resolverTool(rig: Pick<ServiceRig, 'resolver'>): FunctionTool {
  return {
    declaration: { name: 'resolver', description: '', parameters: {} },
    isReadOnly: false,
    isOpenWorld: false,
    outputSchema: undefined,
    check: () => [],
    checkAnswer: () => [],
    async call(args) {
      const { passages } = (args as unknown as { body: { passages: Place[] } }).body;
      rig.resolver.asked.push(passages);
      const whole = { ok: true, status: 200, contentType: 'application/json', bytes: Buffer.alloc(0) };
      return { ...whole, truncated: false, ...rig.resolver.answer(passages) };
    },
  };
}

/** A resolver's answer. */
export function texts(...all: (string | null)[]): Partial<ToolResult> {
  return { bytes: Buffer.from(JSON.stringify({ texts: all })) };
}

export function askerOf(name: string): Asker {
  const accountId = `acct_${name.padEnd(20, '0')}` as AccountId;
  return {
    principal: { accountId, keyId: 'key_00000000000000000001' as ApiKeyId, role: 'member' },
    holder: { accountId, accountKey: new Secret(new Uint8Array(Buffer.alloc(32, name))) },
    originIp: '192.0.2.1',
    signal: new AbortController().signal,
  };
}

export function documentOf(text: string, more: Partial<NewDocument> = {}): NewDocument {
  return { content: chunksOf(text), fileName: 'pumps.txt', ...more };
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 16) yield bytes.subarray(at, at + 16);
}

/** Uploads and waits for the end, whatever it is. */
export async function uploaded(
  { vectors }: Pick<ServiceRig, 'vectors'>,
  asker: Asker,
  document: NewDocument,
): Promise<UploadProgress> {
  const { uploadId } = await vectors.upload(asker, 'manuals', document);
  let last: UploadProgress | undefined;
  for await (const progress of vectors.watchUpload(asker.holder, uploadId, asker.signal)) last = progress;
  if (last === undefined) throw new Error('the upload told nothing');
  return last;
}
