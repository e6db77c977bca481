import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDocumentReader } from '../../server/documents/jailed-reader.ts';
import { createEmbeddedEmbedder } from '../../server/embeddings/embedded-embedder.ts';
import type { Embedder } from '../../server/embeddings/embedder.ts';
import type { Holder, Principal } from '../../server/accounts/principal.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import { createEventLog } from '../../server/kernel/events.ts';
import type { AccountId, ApiKeyId, DatabaseId } from '../../server/kernel/ids.ts';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import { Secret } from '../../server/kernel/secret.ts';
import { openTestJail } from '../../server/sandbox/testing.ts';
import type { OpenedVectors } from '../../server/vectors/databases.ts';
import { createVectorEngine } from '../../server/vectors/engine/create-vector-engine.ts';
import type { SearchHit, VectorEngine } from '../../server/vectors/engine/vector-engine.ts';
import { ingest } from '../../server/vectors/ingest.ts';
import { vectorLimits } from '../../server/vectors/limits.ts';
import { isRelevant } from '../../server/vectors/relevance.ts';
import { type Retrieved, retrieve } from '../../server/vectors/retrieval.ts';
import type { Asker, VectorQuery } from '../../server/vectors/vectors.ts';
import { fetchTestEmbeddingModel } from '../fetch-test-embedding-model.mjs';
import { type Ranking, type RankingFigures, figuresOf } from './rankings.ts';

/**
 * `npm run evaluate:retrieval`: how well passages of the repository's own documents are found, through the real
 * reader, embedding model and engine, and how many questions that they do not answer are refused. Exits with 1 when
 * fused search is worse than one of its parts. `-- --model DIRECTORY` tries another embedding model, `-- --json`
 * prints the result as JSON, `-- --refused` shows the questions that are refused.
 */
const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    json: { type: 'boolean', default: false },
    refused: { type: 'boolean', default: false },
  },
});

interface Questions {
  readonly answerable: readonly Answerable[];
  readonly unanswerable: readonly string[];
}

/** The right passages are those that hold the anchor. */
interface Answerable {
  readonly question: string;
  readonly document: string;
  readonly anchor: string;
}

const MODES = {
  vector: { mode: 'vector' },
  keyword: { mode: 'keyword' },
  fused: { mode: 'hybrid' },
  'fused, reranked': { mode: 'hybrid', rerank: true },
} as const satisfies Record<string, Partial<VectorQuery>>;

interface Result {
  readonly model: string;
  readonly documents: number;
  readonly passages: number;
  readonly passagesPerSecond: number;
  readonly questions: number;
  readonly unanswerable: number;
  readonly modes: Readonly<Record<string, RankingFigures & { readonly msPerQuery: number }>>;
  /** Share of questions that nothing relevant was found for. */
  readonly refused: { readonly unanswerable: number; readonly answerable: number };
}

/** That an answer rests on, as `ask` has it. */
const PASSAGES = 6;

const root = fileURLToPath(new URL('../..', import.meta.url));
const accountId = 'acct_evaluation0000000000' as AccountId;

async function main(): Promise<void> {
  const questions = JSON.parse(
    readFileSync(new URL('retrieval-questions.json', import.meta.url), 'utf8'),
  ) as Questions;
  const directory = mkdtempSync(join(tmpdir(), 'jellyfaas-retrieval-'));
  const jail = await openTestJail();
  const events = createEventLog(() => undefined, Date.now);
  const parts = { clock: systemClock, scheduler: systemScheduler, events };
  const source = createEmbeddedEmbedder({
    ...parts,
    jail,
    directory: values.model ?? (await fetchTestEmbeddingModel()),
  });
  const engine = createVectorEngine(parts);
  const reader = createDocumentReader({ jail, scheduler: systemScheduler });
  try {
    const embedder = await source.open();
    const opened = await makeDatabase(engine, embedder, directory);
    const evaluation = { engine, embedder, opened };
    const started = performance.now();
    const passages = await ingestAll({ ...evaluation, reader }, documentsOf(questions));
    const passagesPerSecond = passages / ((performance.now() - started) / 1000);
    report({
      model: embedder.model,
      documents: documentsOf(questions).length,
      passages,
      passagesPerSecond,
      questions: questions.answerable.length,
      unanswerable: questions.unanswerable.length,
      modes: await rankAll(evaluation, questions.answerable),
      refused: {
        unanswerable: await refusedShare(evaluation, questions.unanswerable),
        answerable: await refusedShare(
          evaluation,
          questions.answerable.map(({ question }) => question),
        ),
      },
    });
  } finally {
    await Promise.all([reader.close(), engine.close(), source.close()]);
    await jail.close();
    rmSync(directory, { recursive: true });
  }
}

interface Evaluation {
  readonly engine: VectorEngine;
  readonly embedder: Embedder;
  readonly opened: OpenedVectors;
}

async function makeDatabase(
  engine: VectorEngine,
  embedder: Embedder,
  directory: string,
): Promise<OpenedVectors> {
  const file = { id: 'db_evaluation0000000000' as DatabaseId, directory, key: randomBytes(32) };
  const { model, dimensions } = embedder;
  const settings = { kind: 'sealed', metric: 'cosine', model, dimensions } as const;
  await engine.create(file, settings);
  return { file, database: { name: 'evaluation', createdAt: 0, resolver: null, ...settings } };
}

function documentsOf({ answerable }: Questions): string[] {
  return [...new Set(answerable.map(({ document }) => document))];
}

/** How many passages there are. */
async function ingestAll(
  {
    engine,
    embedder,
    opened,
    reader,
  }: Evaluation & { readonly reader: Parameters<typeof ingest>[0]['reader'] },
  documents: readonly string[],
): Promise<number> {
  let passages = 0;
  for (const [at, document] of documents.entries()) {
    const job = { uploadId: `upl_${at}`, documentId: document, accountId, databaseId: opened.file.id };
    const content = [readFileSync(join(root, document))];
    await ingest(
      { engine, reader, limits: vectorLimits },
      {
        job,
        file: opened.file,
        embedder,
        document: { content: streamOf(content), mediaType: undefined, extension: '.md' },
        metadata: {},
      },
      { signal: new AbortController().signal, report: () => undefined },
    );
    passages += (await engine.upload(opened.file, job.uploadId))?.passages ?? 0;
  }
  return passages;
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function search(
  { engine, embedder, opened }: Evaluation,
  query: Partial<VectorQuery>,
  judged?: number,
): Promise<Retrieved> {
  const asker: Asker = {
    principal: { accountId, keyId: 'key_evaluation' as ApiKeyId, role: 'owner' } satisfies Principal,
    holder: { accountId, accountKey: new Secret(randomBytes(32)) } satisfies Holder,
    originIp: '127.0.0.1',
    signal: new AbortController().signal,
  };
  const options = {
    engine,
    limits: vectorLimits,
    embedders: { select: () => Promise.resolve(embedder) },
    tools: { named: () => Promise.resolve([]) },
  };
  return await retrieve(options, { opened, asker }, { topK: 10, ...query }, judged);
}

async function rankAll(evaluation: Evaluation, questions: readonly Answerable[]): Promise<Result['modes']> {
  const relevantOf = await relevantPassages(evaluation, questions);
  const modes: Record<string, RankingFigures & { msPerQuery: number }> = {};
  for (const [name, mode] of Object.entries(MODES)) {
    const rankings: Ranking[] = [];
    const started = performance.now();
    for (const [at, { question }] of questions.entries()) {
      const { hits } = await search(evaluation, { text: question, ...mode });
      const right = relevantOf[at] ?? new Set();
      rankings.push({ hits: hits.map(({ id }) => right.has(id)), relevant: right.size });
    }
    const msPerQuery = (performance.now() - started) / questions.length;
    modes[name] = { ...figuresOf(rankings), msPerQuery };
  }
  return modes;
}

/** Ids of the passages that hold each question's anchor. */
async function relevantPassages(
  evaluation: Evaluation,
  questions: readonly Answerable[],
): Promise<Set<string>[]> {
  const passages = new Map<string, SearchHit[]>();
  for (const { document, anchor } of questions) {
    if (passages.has(document)) continue;
    const filter = { $document: document };
    passages.set(document, [
      ...(await search(evaluation, { text: anchor, mode: 'vector', topK: 1000, filter })).hits,
    ]);
  }
  return questions.map(({ question, document, anchor }) => {
    const text = readFileSync(join(root, document), 'utf8');
    const start = text.indexOf(anchor);
    const right = (passages.get(document) ?? []).filter(
      ({ span }) => span !== null && start >= span.start && start + anchor.length <= span.end,
    );
    if (start === -1 || right.length === 0)
      throw new Error(`the anchor of "${question}" stands in no passage of ${document}`);
    return new Set(right.map(({ id }) => id));
  });
}

/** What an answer would be refused for, on the passages that it would rest on. */
async function refusedShare(evaluation: Evaluation, questions: readonly string[]): Promise<number> {
  let refused = 0;
  for (const question of questions) {
    const found = await search(evaluation, { text: question, topK: PASSAGES }, PASSAGES);
    if (!isRelevant(evaluation.opened.database, found, { text: question })) {
      refused++;
      if (values.refused) process.stdout.write(`refused: ${question}\n`);
    }
  }
  return refused / questions.length;
}

function report(result: Result): void {
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${linesOf(result).join('\n')}\n`);
  const { vector, keyword, fused } = result.modes;
  const isWorse = (['ndcgAt10', 'mrrAt10'] as const).some(
    (figure) => (fused?.[figure] ?? 0) < Math.max(vector?.[figure] ?? 0, keyword?.[figure] ?? 0),
  );
  if (isWorse) {
    process.stderr.write('Fused search is worse than one of its parts.\n');
    process.exitCode = 1;
  }
}

function linesOf(result: Result): string[] {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    `${result.model}: ${result.documents} documents, ${result.passages} passages, ${result.passagesPerSecond.toFixed(1)} a second`,
    `${result.questions} questions that they answer, ${result.unanswerable} that they do not`,
    '',
    ['search'.padEnd(16), 'recall@1', 'recall@5', 'recall@10', 'nDCG@10', 'MRR@10', 'ms'].join('  '),
    ...Object.entries(result.modes).map(([name, figures]) =>
      [
        name.padEnd(16),
        figures.recallAt1.toFixed(3).padStart(8),
        figures.recallAt5.toFixed(3).padStart(8),
        figures.recallAt10.toFixed(3).padStart(9),
        figures.ndcgAt10.toFixed(3).padStart(7),
        figures.mrrAt10.toFixed(3).padStart(6),
        figures.msPerQuery.toFixed(0).padStart(2),
      ].join('  '),
    ),
    '',
    `refused: ${percent(result.refused.unanswerable)} of what they do not answer, ${percent(result.refused.answerable)} of what they do`,
  ];
}

await main();
