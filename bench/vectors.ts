import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseFile } from '../server/databases/databases.ts';
import { systemClock } from '../server/kernel/clock.ts';
import { type DatabaseId, newId } from '../server/kernel/ids.ts';
import { systemScheduler } from '../server/kernel/scheduler.ts';
import { createVectorEngine } from '../server/vectors/engine/create-vector-engine.ts';
import type { VectorEngineLimits } from '../server/vectors/engine/engine-caller.ts';
import type { VectorEngine } from '../server/vectors/engine/vector-engine.ts';
import { seededRandom } from '../testkit/raw-zip.ts';
import type { Bench, Measurement } from './bench.ts';
import { onlyChildThatRuns, residentMib } from './processes.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

const DIMENSIONS = 384;
const TOP_K = 10;
const PROGRAM = 'vectors/engine/engine-main.ts';

/** The vector engine by itself, over its socket: encrypted files, their vectors in memory. */
export const measureVectors: Measurement = async (bench) => [
  ...(await withEngine(bench, {}, measureLarge)),
  ...(await withEngine(bench, {}, measurePassages)),
  ...(await withEngine(bench, { openMax: 1 }, measureCold)),
  ...(await withEngine(bench, { openMax: 500 }, measureMany)),
];

interface Engined {
  readonly bench: Bench;
  readonly engine: VectorEngine;
  readonly make: () => Promise<DatabaseFile>;
}

async function withEngine(
  bench: Bench,
  limits: Partial<VectorEngineLimits>,
  work: (engined: Engined) => Promise<Row[]>,
): Promise<Row[]> {
  const engine = createVectorEngine({
    scheduler: systemScheduler,
    clock: systemClock,
    events: { emit: () => undefined },
    limits,
  });
  const make = async (): Promise<DatabaseFile> => {
    const id = newId<DatabaseId>('db');
    const file = { id, directory: join(bench.workDir, id), key: new Uint8Array(randomBytes(32)) };
    await engine.create(file, { kind: 'sealed', dimensions: DIMENSIONS, metric: 'cosine', model: null });
    return file;
  };
  try {
    return await work({ bench, engine, make });
  } finally {
    await engine.close();
  }
}

/** One large database: exact while the graph is built, then by the graph, and under a filter. */
async function measureLarge({ bench, engine, make }: Engined): Promise<Row[]> {
  const count = bench.isQuick ? 25_000 : 100_000;
  const rounds = bench.isQuick ? 100 : 500;
  bench.note(`vectors, ${count} × ${DIMENSIONS}`);
  const next = clusteredVectors();
  const [large, small] = [await make(), await make()];
  const vectors = await fill(engine, large, { count, next });
  await fill(engine, small, { count: 1000, next });
  const queries = Array.from({ length: rounds }, next);
  const truth = await Promise.all(queries.slice(0, 200).map((query) => nearest(vectors, query)));

  // The first search loads the vectors, and the graph begins.
  const vector = queries[0] ?? new Float32Array();
  const loadMs = await timed(() => engine.search(large, { vector, topK: TOP_K }));
  bench.note('vectors, the graph is built');
  const from = performance.now();
  const whileBuilt: number[] = [];
  while ((await engine.describe(large)).index !== 'hnsw') {
    whileBuilt.push(await timed(() => engine.search(small, { vector, topK: TOP_K })));
    await delay(20);
  }
  const buildSeconds = (performance.now() - from) / 1000;
  // What came last is placed.
  await delay(3000);
  bench.note('vectors, searched');
  for (const query of queries) await engine.search(large, { vector: query, topK: TOP_K });
  const warm: number[] = [];
  const found: (readonly string[])[] = [];
  for (const query of queries) {
    warm.push(
      await timed(async () => {
        found.push((await engine.search(large, { vector: query, topK: TOP_K })).map(({ id }) => id));
      }),
    );
  }
  const filtered: number[] = [];
  let isExact = true;
  for (const query of queries.slice(0, 100)) {
    const part = Math.floor(filtered.length % 20);
    const search = { vector: query, topK: TOP_K, filter: { part } };
    const hits = await engine.search(large, search).then((some) => some.map(({ id }) => id));
    filtered.push(await timed(() => engine.search(large, search)));
    const expected = await nearest(new Map([...vectors].filter(([id]) => Number(id) % 20 === part)), query);
    isExact &&= expected.every((id) => hits.includes(id));
  }
  const smallWarm: number[] = [];
  for (const query of queries)
    smallWarm.push(await timed(() => engine.search(small, { vector: query, topK: TOP_K })));
  return [
    {
      what: `Vectors, ${count} × ${DIMENSIONS}: warm search, p50`,
      unit: 'ms',
      measured: median(warm),
      goal: { atMost: 2 },
      detail: `p99 ${percentile(warm, 0.99).toFixed(2)} ms; graph and socket, top ${TOP_K}`,
    },
    {
      what: `Vectors, ${count} × ${DIMENSIONS}: recall@${TOP_K}`,
      unit: '',
      measured: recallOf(found, truth),
      goal: { atLeast: 0.97 },
      detail: `${truth.length} searches against a plain loop, clustered vectors`,
    },
    {
      what: `Vectors, ${count} × ${DIMENSIONS}: first search of a cold database`,
      unit: 'ms',
      measured: loadMs,
      detail: 'all vectors are read and decrypted, and searched exactly',
    },
    {
      what: `Vectors, ${count} × ${DIMENSIONS}: graph built in the background`,
      unit: 's',
      measured: buildSeconds,
      detail: `one thread, in slices; another database's search meanwhile p50 ${median(whileBuilt).toFixed(1)} ms, p99 ${percentile(whileBuilt, 0.99).toFixed(1)} ms`,
    },
    {
      what: `Vectors, ${count} × ${DIMENSIONS}, a filter that 5 % pass: p50`,
      unit: 'ms',
      measured: median(filtered),
      detail: `p99 ${percentile(filtered, 0.99).toFixed(1)} ms; ${isExact ? 'recall 1' : 'NOT EXACT'}`,
    },
    {
      what: `Vectors, 1000 × ${DIMENSIONS}: warm search, p50`,
      unit: 'ms',
      measured: median(smallWarm),
      goal: { atMost: 5 },
      detail: `p99 ${percentile(smallWarm, 0.99).toFixed(2)} ms`,
    },
  ];
}

/** Documents as the service sends them: staged in portions, searched by vector and words, deleted. */
async function measurePassages({ bench, engine, make }: Engined): Promise<Row[]> {
  const count = bench.isQuick ? 2000 : 20_000;
  bench.note(`vectors, ${count} passages`);
  const next = clusteredVectors();
  const nextText = texts();
  const file = await make();
  const document = { uploadId: 'upload', documentId: 'document', metadata: {} };
  let takenMs = await timed(() => engine.beginDocument(file, document));
  for (let from = 0; from < count; from += 50) {
    const passages = Array.from({ length: 50 }, (_, index) => {
      const text = nextText();
      const start = (from + index) * 2000;
      return { start, end: start + text.length, page: null, headings: [], text, vector: next() };
    });
    takenMs += await timed(() => engine.stage(file, document.uploadId, passages));
  }
  takenMs += await timed(() => engine.finishDocument(file, document.uploadId));
  const searches: number[] = [];
  for (let round = 0; round < 200; round++) {
    const search = { vector: next(), text: nextText().split(' ').slice(0, 8).join(' '), topK: TOP_K };
    searches.push(await timed(() => engine.search(file, search)));
  }
  const deletedMs = await timed(() => engine.deleteDocument(file, document.documentId));
  return [
    {
      what: `Vectors, ${count} passages of 200 words: taken in, each`,
      unit: 'ms',
      measured: takenMs / count,
      detail: `words, vectors and the change of documents; deleted in ${(deletedMs / count).toFixed(2)} ms each`,
    },
    {
      what: `Vectors, ${count} passages of 200 words: by vector and words, p50`,
      unit: 'ms',
      measured: median(searches.slice(20)),
      detail: `p99 ${percentile(searches.slice(20), 0.99).toFixed(1)} ms; questions of eight words`,
    },
  ];
}

/** Two databases of which one only may be open: each search opens the other one. */
async function measureCold({ bench, engine, make }: Engined): Promise<Row[]> {
  bench.note('vectors, cold databases');
  const next = clusteredVectors();
  const files = [await make(), await make()];
  for (const file of files) await fill(engine, file, { count: 1000, next });
  const cold: number[] = [];
  for (let round = 0; round < (bench.isQuick ? 20 : 200); round++) {
    for (const file of files) {
      const vector = next();
      cold.push(await timed(() => engine.search(file, { vector, topK: TOP_K })));
    }
  }
  return [
    {
      what: `Vectors, 1000 × ${DIMENSIONS}: encrypted file opened and searched, p99`,
      unit: 'ms',
      measured: percentile(cold, 0.99),
      goal: { atMost: 600 },
      detail: `p50 ${median(cold).toFixed(1)} ms; closing another one is part of it`,
    },
  ];
}

/** Many small databases, more than may be open at a time. */
async function measureMany({ bench, engine, make }: Engined): Promise<Row[]> {
  const databases = bench.isQuick ? 600 : 2000;
  const records = 10;
  bench.note(`vectors, ${databases} small databases`);
  const next = clusteredVectors();
  const files: DatabaseFile[] = [];
  const made: number[] = [];
  let before = 0;
  for (let n = 0; n < databases; n++) {
    const from = performance.now();
    const file = await make();
    await fill(engine, file, { count: records, next });
    made.push(performance.now() - from);
    files.push(file);
    if (n === 0) before = residentMib(onlyChildThatRuns(PROGRAM));
  }
  const random = seededRandom(1);
  const searches: number[] = [];
  let wrong = 0;
  for (let round = 0; round < databases; round++) {
    const file = files[Math.floor(random() * databases)] as DatabaseFile;
    const vector = next();
    searches.push(
      await timed(async () => {
        wrong += (await engine.search(file, { vector, topK: 100 })).length === records ? 0 : 1;
      }),
    );
  }
  const open = Math.min(500, databases);
  const perOpen = (residentMib(onlyChildThatRuns(PROGRAM)) - before) / open;
  const bytes = files.reduce((sum, { directory }) => sum + statSync(join(directory, 'vectors.db')).size, 0);
  return [
    {
      what: `Vectors, ${databases} small databases: memory of each open one`,
      unit: 'MiB',
      measured: perOpen,
      goal: { atMost: 0.5 },
      detail: `${open} open; ${records} × ${DIMENSIONS} and ${(bytes / databases / 1024).toFixed(0)} KiB on disk each`,
    },
    {
      what: `Vectors, ${databases} small databases: search in any of them, p50`,
      unit: 'ms',
      measured: median(searches),
      detail: `p99 ${percentile(searches, 0.99).toFixed(1)} ms, most are opened for it; ${wrong} wrong; made and filled in ${median(made).toFixed(1)} ms`,
    },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Fills a database with records of which one in twenty has the same `part`. */
async function fill(
  engine: VectorEngine,
  file: DatabaseFile,
  { count, next }: { count: number; next: () => Float32Array },
): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  for (let from = 0; from < count; from += 1000) {
    const records = Array.from({ length: Math.min(1000, count - from) }, (_, index) => ({
      id: `${from + index}`,
      vector: next(),
      metadata: { part: (from + index) % 20 },
    }));
    await engine.upsert(file, records);
    for (const { id, vector } of records) all.set(id, vector);
  }
  return all;
}

function nearest(vectors: ReadonlyMap<string, Float32Array>, query: Float32Array): Promise<string[]> {
  const scored = [...vectors].map(([id, vector]) => {
    let score = 0;
    for (let i = 0; i < DIMENSIONS; i++) score += (vector[i] ?? 0) * (query[i] ?? 0);
    return { id, score };
  });
  return Promise.resolve(
    scored
      .toSorted((a, b) => b.score - a.score)
      .slice(0, TOP_K)
      .map(({ id }) => id),
  );
}

function recallOf(found: readonly (readonly string[])[], truth: readonly (readonly string[])[]): number {
  const hits = truth.map((ids, index) => ids.filter((id) => found[index]?.includes(id)).length);
  return hits.reduce((sum, some) => sum + some, 0) / (truth.length * TOP_K);
}

/** Texts of 200 words, of which some are frequent and most are rare. */
function texts(): () => string {
  const random = seededRandom(9);
  const word = (): string => `word${Math.floor(30_000 ** random()).toString(36)}`;
  return () => Array.from({ length: 200 }, word).join(' ');
}

/** Unit vectors in a thousand clusters, as embeddings of texts lie; the same ones in every run. */
function clusteredVectors(): () => Float32Array {
  const random = seededRandom(7);
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const draw = (): Float32Array => Float32Array.from({ length: DIMENSIONS }, gaussian);
  const centres = Array.from({ length: 1000 }, draw);
  return () => {
    const centre = centres[Math.floor(random() * centres.length)] as Float32Array;
    const vector = draw().map((component, index) => (centre[index] ?? 0) + component);
    const length = Math.hypot(...vector);
    return vector.map((component) => component / length);
  };
}
