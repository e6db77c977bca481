import type { VectorStore } from '../../stores/vector-store.ts';
import type { DatabaseKeys } from './database-keys.ts';
import { fuse } from './fusion.ts';
import { queryForms } from './keywords.ts';
import type { Neighbours } from './neighbours.ts';
import type { WordIndex } from './word-index.ts';
import type { SearchHit, VectorSearch } from './vector-engine.ts';

export interface Searched {
  readonly store: VectorStore;
  readonly keys: DatabaseKeys;
  readonly neighbours: () => Promise<Neighbours>;
  readonly words: () => Promise<WordIndex>;
}

/** So many of each list are fused. */
const FUSED = 50;
/** More words do not make a question clearer. */
const WORDS_MAX = 64;

type Scores = ReadonlyMap<number, number>;

/** Both kinds of search, fused by rank. Of what is found, both scores are told, whichever search found it. */
export async function searchRecords(searched: Searched, search: VectorSearch): Promise<SearchHit[]> {
  const { topK, filter, minScore = -Infinity } = search;
  const isFused = search.vector !== undefined && search.text !== undefined;
  const count = isFused ? Math.max(topK, FUSED) : topK;
  const among = filter && (await searched.store.matching(filter));
  const near = await byVector(searched, search, count, among);
  const worded = await byWords(searched, search, count, among);
  const found = fuse([[...near.keys()], [...worded.keys()]]);
  const scores = isFused ? await scoresOf(searched, search, found) : { near, worded };
  const best = found.filter((key) => (scores.near.get(key) ?? Infinity) >= minScore).slice(0, topK);
  const hits = await searched.store.hits(best);
  return best.flatMap((key) => {
    const hit = hits.get(key);
    if (hit === undefined) return [];
    return { ...hit, score: scores.near.get(key) ?? null, keywordScore: scores.worded.get(key) ?? null };
  });
}

async function byVector(
  { neighbours }: Searched,
  { vector }: VectorSearch,
  count: number,
  among: readonly number[] | undefined,
): Promise<Scores> {
  if (vector === undefined) return new Map();
  const found = await (await neighbours()).nearest(vector, count, among);
  return new Map(found.map(({ key, score }) => [key, score]));
}

async function byWords(
  { keys, words }: Searched,
  { text }: VectorSearch,
  limit: number,
  among: readonly number[] | undefined,
): Promise<Scores> {
  if (text === undefined) return new Map();
  const forms = queryForms(text).slice(0, WORDS_MAX);
  const found = await (
    await words()
  ).search(
    forms.map((some) => some.map(keys.word)),
    limit,
    among,
  );
  return new Map(found.map(({ key, score }) => [key, score]));
}

async function scoresOf(
  searched: Searched,
  search: VectorSearch,
  found: readonly number[],
): Promise<{ near: Scores; worded: Scores }> {
  const { vector = new Float32Array() } = search;
  return {
    near: (await searched.neighbours()).scoresOf(vector, found),
    worded: await byWords(searched, search, found.length, found),
  };
}
