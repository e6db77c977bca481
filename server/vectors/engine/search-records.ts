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

/** One kind of search. */
interface Finder {
  /** Keys, best first. */
  best(count: number, among?: readonly number[]): Promise<number[]>;
  /** Of those that it can score. */
  scores(keys: readonly number[]): ReadonlyMap<number, number>;
}

/** Both kinds of search, fused by rank. Of what is found both scores are told, whichever search found it. */
export async function searchRecords(searched: Searched, search: VectorSearch): Promise<SearchHit[]> {
  const { vector, text, topK, filter, minScore = -Infinity } = search;
  const byVector = vector === undefined ? NO_FINDER : await vectorFinder(searched, vector);
  const byWords = text === undefined ? NO_FINDER : await wordFinder(searched, text);
  const isFused = byVector !== NO_FINDER && byWords !== NO_FINDER;
  const count = isFused ? Math.max(topK, FUSED) : topK;
  const among = filter && (await searched.store.matching(filter));
  const found = fuse([await byVector.best(count, among), await byWords.best(count, among)]);
  const [scores, wordScores] = [byVector.scores(found), byWords.scores(found)];
  const best = found.filter((key) => (scores.get(key) ?? Infinity) >= minScore).slice(0, topK);
  const hits = await searched.store.hits(best);
  return best.flatMap((key) => {
    const hit = hits.get(key);
    if (hit === undefined) return [];
    return { ...hit, score: scores.get(key) ?? null, keywordScore: wordScores.get(key) ?? null };
  });
}

const NO_FINDER: Finder = { best: () => Promise.resolve([]), scores: () => new Map() };

async function vectorFinder(searched: Searched, vector: Float32Array): Promise<Finder> {
  const neighbours = await searched.neighbours();
  return {
    best: async (count, among) => (await neighbours.nearest(vector, count, among)).map(({ key }) => key),
    scores: (keys) => neighbours.scoresOf(vector, keys),
  };
}

async function wordFinder({ keys: { word }, words }: Searched, text: string): Promise<Finder> {
  const forms = queryForms(text).slice(0, WORDS_MAX);
  const found = await (await words()).find(forms.map((some) => some.map(word)));
  return {
    best: (count, among) => Promise.resolve(found.best(count, among).map(({ key }) => key)),
    scores: (keys) => new Map(found.best(keys.length, keys).map(({ key, score }) => [key, score])),
  };
}
