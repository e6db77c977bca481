import type { SearchHit, VectorSettings } from './engine/vector-engine.ts';

/** Cosine below which passages of the embedded model have nothing to do with a question; see `npm run evaluate:retrieval`. */
const MIN_COSINE = 0.35;

/** Whether any passage is near enough to the question to rest an answer on. */
export function isRelevant(
  { metric }: Pick<VectorSettings, 'metric'>,
  hits: readonly SearchHit[],
  minScore: number | undefined,
): boolean {
  const scores = hits.map(({ score }) => score ?? -Infinity);
  const best = Math.max(...scores);
  return best >= (minScore ?? scoreOfCosine(metric, MIN_COSINE));
}

/** Vectors of a model have length 1, where each metric follows from the cosine. */
function scoreOfCosine(metric: VectorSettings['metric'], cosine: number): number {
  return metric === 'euclidean' ? -Math.sqrt(2 - 2 * cosine) : cosine;
}
