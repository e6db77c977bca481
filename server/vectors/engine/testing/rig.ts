import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DatabaseFile } from '../../../databases/databases.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { type DatabaseId, newId } from '../../../kernel/ids.ts';
import { systemScheduler } from '../../../kernel/scheduler.ts';
import { seededRandom } from '../../../../testkit/raw-zip.ts';
import { createVectorEngine } from '../create-vector-engine.ts';
import type { VectorEngineOptions } from '../engine-caller.ts';
import type { SealedVectors, StagedPassage, VectorEngine, VectorSettings } from '../vector-engine.ts';

export interface Rig {
  readonly engine: VectorEngine & SealedVectors;
  /** A directory and a key for one database; it is not made yet. */
  readonly newFile: () => DatabaseFile;
  /** Makes a database. */
  readonly make: (settings?: Partial<VectorSettings>) => Promise<DatabaseFile>;
  /** Another engine, as after a restart of the server. */
  readonly restart: () => Promise<VectorEngine>;
  /** Kills the engine process, as the kernel does when memory is short. */
  readonly kill: () => void;
}

/** The real engine and its process, ended with the test or, with `afterAll`, with the file. */
export function startRig(
  options: Partial<VectorEngineOptions> = {},
  atEnd: (cleanUp: () => Promise<void>) => void = onTestFinished,
): Rig {
  const root = mkdtempSync(join(tmpdir(), 'vectors-'));
  const engines: VectorEngine[] = [];
  const start = (): VectorEngine & SealedVectors => {
    const engine = createVectorEngine({
      scheduler: systemScheduler,
      clock: systemClock,
      events: { emit: () => undefined },
      ...options,
    });
    engines.push(engine);
    return engine;
  };
  const engine = start();
  atEnd(async () => {
    await Promise.all(engines.map((one) => one.close()));
    rmSync(root, { recursive: true });
  });

  const newFile = (): DatabaseFile => {
    const id = newId<DatabaseId>('db');
    return { id, directory: join(root, id), key: new Uint8Array(randomBytes(32)) };
  };
  return {
    engine,
    newFile,
    async make(settings) {
      const file = newFile();
      await engine.create(file, {
        kind: 'sealed',
        dimensions: 4,
        metric: 'cosine',
        model: null,
        ...settings,
      });
      return file;
    },
    async restart() {
      await engines.at(-1)?.close();
      return start();
    },
    kill() {
      for (const pid of enginePids()) process.kill(pid, 'SIGKILL');
    },
  };
}

/** Engine processes among the children of this one. */
function enginePids(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ');
  return children
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine-main.ts'))
    .map(Number);
}

/** Normally distributed. */
export function createGaussian(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Vectors that lie in clusters, like those of texts. */
export function clusteredVectors(
  count: number,
  dimensions: number,
  { clusters = Math.ceil(count / 100), spread = 0.5, seed = 1 } = {},
): Float32Array[] {
  const gaussian = createGaussian(seed);
  const random = seededRandom(seed);
  const vector = (): Float32Array => Float32Array.from({ length: dimensions }, gaussian);
  const centres = Array.from({ length: clusters }, vector);
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random() * clusters)];
    return vector().map((component, index) => (centre?.[index] ?? 0) + spread * component);
  });
}

/** A passage at a place of its own; its vector follows from its number. */
export function passage(number: number, text: string, dimensions = 4): StagedPassage {
  const vector = Float32Array.from({ length: dimensions }, (_, index) =>
    Math.sin(number * 7 + index * 3 + 1),
  );
  return {
    start: number * 100,
    end: number * 100 + text.length,
    page: number + 1,
    headings: ['Heading'],
    text,
    vector,
  };
}

/** Uploads a document from beginning to end. */
export async function uploadDocument(
  engine: VectorEngine,
  file: DatabaseFile,
  document: { readonly documentId: string; readonly texts: readonly string[]; readonly uploadId?: string },
): Promise<void> {
  const { documentId, texts, uploadId = newId('upl') } = document;
  await engine.beginDocument(file, { uploadId, documentId, metadata: { kind: 'document' } });
  await engine.stage(
    file,
    uploadId,
    texts.map((text, index) => passage(index, text)),
  );
  await engine.finishDocument(file, uploadId);
}
