/** Which of the hits, best first, are right; `relevant` is how many right ones there are at all. */
export interface Ranking {
  readonly hits: readonly boolean[];
  readonly relevant: number;
}

export interface RankingFigures {
  readonly recallAt1: number;
  readonly recallAt5: number;
  readonly recallAt10: number;
  readonly ndcgAt10: number;
  readonly mrrAt10: number;
}

/** Means over all questions. Recall: a question counts as answered if any right passage is among the first k. */
export function figuresOf(rankings: readonly Ranking[]): RankingFigures {
  const mean = (of: (ranking: Ranking) => number): number =>
    rankings.reduce((sum, ranking) => sum + of(ranking), 0) / rankings.length;
  const recallAt =
    (k: number) =>
    ({ hits }: Ranking): number =>
      hits.slice(0, k).includes(true) ? 1 : 0;
  return {
    recallAt1: mean(recallAt(1)),
    recallAt5: mean(recallAt(5)),
    recallAt10: mean(recallAt(10)),
    ndcgAt10: mean(ndcgAt10),
    mrrAt10: mean(({ hits }) => {
      const first = hits.slice(0, 10).indexOf(true);
      return first === -1 ? 0 : 1 / (first + 1);
    }),
  };
}

function ndcgAt10({ hits, relevant }: Ranking): number {
  const ideal = Array.from({ length: Math.min(10, relevant) }, () => true);
  return gain(hits) / gain(ideal);
}

function gain(hits: readonly boolean[]): number {
  return hits.slice(0, 10).reduce((sum, isRight, at) => sum + (isRight ? 1 / Math.log2(at + 2) : 0), 0);
}
