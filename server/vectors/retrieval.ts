import type { FunctionTools } from '../ai/function-tool.ts';
import type { Embedder, Embedders } from '../embeddings/embedder.ts';
import type { OpenedVectors } from './databases.ts';
import type { SearchHit, Span, VectorEngine, VectorSearch } from './engine/vector-engine.ts';
import { vectorErrors } from './errors.ts';
import type { VectorLimits } from './limits.ts';
import { resolveTexts } from './resolver.ts';
import type { Asker, VectorDatabase, VectorQuery } from './vectors.ts';
import { bestWindows } from './windows.ts';

export interface RetrievalOptions {
  readonly engine: Pick<VectorEngine, 'search' | 'matches'>;
  readonly embedders: Pick<Embedders, 'select'>;
  readonly tools: Pick<FunctionTools, 'named'>;
  readonly limits: VectorLimits;
}

export interface Retrieved {
  readonly hits: readonly SearchHit[];
  readonly changed: readonly Span[];
  /** What the question became, and by which model; absent where nothing was embedded. */
  readonly question?: { readonly vector: Float32Array; readonly embedder: Embedder };
}

/** A search as it is asked for: hits in order, with the texts that sealed databases keep and resolvers bring. */
export async function retrieve(
  options: RetrievalOptions,
  { opened, asker }: { readonly opened: OpenedVectors; readonly asker: Asker },
  query: VectorQuery,
): Promise<Retrieved> {
  const { engine, limits } = options;
  const { database, file } = opened;
  refuseImpossible(database, query);
  const question = await embedQuestion(options, { opened, asker }, query);
  const topK = query.rerank === true ? Math.max(query.topK, limits.rerankHits) : query.topK;
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
  const isReranked = query.rerank === true && question !== undefined;
  const ordered = isReranked ? await rerank(options, asker, { hits, question }) : hits;
  return { hits: ordered.slice(0, query.topK), changed, ...(question !== undefined && { question }) };
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

async function embedQuestion(
  { embedders }: RetrievalOptions,
  { opened, asker }: { readonly opened: OpenedVectors; readonly asker: Asker },
  { text, vector, mode }: VectorQuery,
): Promise<Retrieved['question']> {
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

/** The first hits once more by their best sentences, fused with the order that they have. */
async function rerank(
  { limits }: RetrievalOptions,
  { principal: { accountId }, signal }: Asker,
  { hits, question }: { hits: readonly SearchHit[]; question: NonNullable<Retrieved['question']> },
): Promise<SearchHit[]> {
  const first = hits.slice(0, limits.rerankHits);
  const windows = await bestWindows(
    question.embedder,
    first.map(({ text }) => text ?? ''),
    { accountId, question: question.vector, windowsMax: limits.windowsPerPassageMax, signal },
  );
  const bySentences = first.map((_, at) => at).toSorted((a, b) => scoreAt(b) - scoreAt(a));
  const ranks = new Map(bySentences.map((at, rank) => [at, rank]));
  function scoreAt(at: number): number {
    return windows[at]?.score ?? -1;
  }
  const fused = first
    .map((hit, at) => ({ hit, score: 1 / (RRF_K + at) + 1 / (RRF_K + (ranks.get(at) ?? at)) }))
    .toSorted((a, b) => b.score - a.score);
  return [...fused.map(({ hit }) => hit), ...hits.slice(first.length)];
}
