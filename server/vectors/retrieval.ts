import type { FunctionTools } from '../ai/function-tool.ts';
import type { Embedder, Embedders } from '../embeddings/embedder.ts';
import type { OpenedVectors } from './databases.ts';
import type { SearchHit, Span, VectorEngine, VectorSearch } from './engine/vector-engine.ts';
import { vectorErrors } from './errors.ts';
import type { VectorLimits } from './limits.ts';
import { resolveTexts } from './resolver.ts';
import type { Asker, VectorDatabase, VectorQuery } from './vectors.ts';
import { type ScoredWindow, bestWindows } from './windows.ts';

export interface RetrievalOptions {
  readonly engine: Pick<VectorEngine, 'search' | 'matches'>;
  readonly embedders: Pick<Embedders, 'select'>;
  readonly tools: Pick<FunctionTools, 'named'>;
  readonly limits: VectorLimits;
}

/** Whose search it is; visitors of AI.Mee bring no account key. */
type Searcher = Omit<Asker, 'holder'>;

export interface Retrieved {
  readonly hits: readonly SearchHit[];
  readonly changed: readonly Span[];
  /** By id, the sentences that are nearest to the question, of hits that were judged by them. */
  readonly windows: ReadonlyMap<string, ScoredWindow>;
}

/**
 * A search as it is asked for: hits in order, with the texts that sealed databases keep and resolvers bring. The first
 * `judged` hits are judged once more by their best sentences; none are unless reranking is asked for.
 */
export async function retrieve(
  options: RetrievalOptions,
  { opened, asker }: { readonly opened: OpenedVectors; readonly asker: Searcher },
  query: VectorQuery,
  judged = query.rerank === true ? options.limits.rerankHits : 0,
): Promise<Retrieved> {
  const { engine, limits } = options;
  const { database, file } = opened;
  refuseImpossible(database, query);
  const question = await embedQuestion(options, { opened, asker }, query);
  const topK = Math.max(query.topK, judged);
  const found = await engine.search(file, { ...searchOf(database, query, question?.vector), topK });
  const { hits, changed } =
    database.resolver === null
      ? { hits: found, changed: [] }
      : await resolveTexts(options, {
          file,
          resolver: database.resolver,
          hits: found,
          caller: { ...asker, resultBytesMax: limits.resolverBytesMax },
        });
  const isJudged = judged > 0 && question !== undefined;
  const { ordered, windows } = isJudged
    ? await judge(options, asker, { question, hits, judged })
    : { ordered: hits, windows: new Map<string, ScoredWindow>() };
  return { hits: ordered.slice(0, query.topK), changed, windows };
}

function refuseImpossible(
  { kind, resolver }: VectorDatabase,
  { mode, rerank: isReranked }: VectorQuery,
): void {
  if (kind === 'sealed') return;
  if (mode === 'keyword') throw vectorErrors.noKeywords();
  if (isReranked === true && resolver === null) throw vectorErrors.noResolver();
}

/** What of the query this database can search by: vectors anywhere, words in sealed ones. */
function searchOf(
  { kind }: VectorDatabase,
  query: VectorQuery,
  question: Float32Array | undefined,
): Omit<VectorSearch, 'topK'> {
  const { filter, minScore, mode } = query;
  const vector = query.vector === undefined ? question : Float32Array.from(query.vector);
  const text = kind === 'sealed' && mode !== 'vector' ? query.text : undefined;
  if (vector === undefined && text === undefined) throw vectorErrors.noModel();
  return {
    ...(vector !== undefined && { vector, ...(minScore !== undefined && { minScore }) }),
    ...(text !== undefined && { text }),
    ...(filter !== undefined && { filter }),
  };
}

/** What the question became, and by which model. */
interface EmbeddedQuestion {
  readonly vector: Float32Array;
  readonly embedder: Embedder;
}

async function embedQuestion(
  { embedders }: RetrievalOptions,
  { opened, asker }: { readonly opened: OpenedVectors; readonly asker: Searcher },
  { text, vector, mode }: VectorQuery,
): Promise<EmbeddedQuestion | undefined> {
  const { model } = opened.database;
  if (text === undefined || vector !== undefined || model === null || mode === 'keyword') return undefined;
  const { accountId } = asker.principal;
  const embedder = await embedders.select(accountId, model);
  const [embedded] = await embedder.embed({
    accountId,
    texts: [text],
    purpose: 'query',
    signal: asker.signal,
  });
  return embedded && { vector: embedded, embedder };
}

/** The constant of reciprocal rank fusion that all of the literature uses. */
const RRF_K = 60;

/** The order that the first hits have, fused with that of their best sentences. */
async function judge(
  { limits }: RetrievalOptions,
  { principal: { accountId }, signal }: Searcher,
  { question, hits, judged }: { question: EmbeddedQuestion; hits: readonly SearchHit[]; judged: number },
): Promise<{ ordered: readonly SearchHit[]; windows: ReadonlyMap<string, ScoredWindow> }> {
  const first = hits.slice(0, judged);
  const best = await bestWindows(
    question.embedder,
    first.map(({ text }) => text ?? ''),
    { accountId, question: question.vector, windowsMax: limits.windowsPerPassageMax, signal },
  );
  const scoreOf = (at: number): number => best[at]?.score ?? -1;
  const bySentences = [...first.keys()].toSorted((a, b) => scoreOf(b) - scoreOf(a));
  const fused = first
    .map((hit, at) => ({ hit, score: 1 / (RRF_K + at) + 1 / (RRF_K + bySentences.indexOf(at)) }))
    .toSorted((a, b) => b.score - a.score);
  const windows = new Map<string, ScoredWindow>();
  for (const [at, { id }] of first.entries()) {
    const window = best[at];
    if (window !== undefined) windows.set(id, window);
  }
  return { ordered: [...fused.map(({ hit }) => hit), ...hits.slice(judged)], windows };
}
