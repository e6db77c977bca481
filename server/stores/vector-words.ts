import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { VectorDb } from './vector-rows.ts';

/** How little a repeated word counts more, and how much a long record counts less: the customary values. */
const K1 = 1.2;
const B = 0.75;

export interface WordQuery {
  /** Keyed hashes; a word of the query is any of the forms under which it may stand in the index. */
  readonly words: readonly (readonly number[])[];
  /** A query of record keys: only these. */
  readonly among?: RawBuilder<unknown>;
  readonly limit: number;
}

export interface WordScore {
  readonly key: number;
  readonly score: number;
}

/** BM25, best first. */
export async function scoreWords(db: VectorDb, { words, among, limit }: WordQuery): Promise<WordScore[]> {
  const { worded, words: length } = await db.selectFrom('total').selectAll().executeTakeFirstOrThrow();
  const weights = await weightsOf(db, words, worded);
  if (weights.length === 0) return [];
  const norm = sql`(times + ${K1} * (${1 - B} + ${(B * worded) / length} * words))`;
  const { rows } = await sql<WordScore>`
    with wanted (word, weight) as materialized
      (select value ->> 0, value ->> 1 from json_each(${JSON.stringify(weights)}))
    select record as key, sum(weight * ${K1 + 1} * times / ${norm}) as score
    from wanted cross join posting using (word)
    where ${among === undefined ? sql`true` : sql`record in (${among})`}
    group by record order by score desc, record limit ${limit}`.execute(db);
  return rows;
}

/** Each form that occurs, with the inverse document frequency of its word. */
async function weightsOf(
  db: VectorDb,
  words: WordQuery['words'],
  worded: number,
): Promise<[form: number, weight: number][]> {
  const { rows } = await sql<{ word: number; records: number }>`
    select word, count(*) as records from posting
    where word in (select value from json_each(${JSON.stringify(words.flat())})) group by word`.execute(db);
  const records = new Map(rows.map((row) => [row.word, row.records]));
  const weights = new Map<number, number>();
  for (const forms of words) {
    const found = forms.filter((form) => records.has(form));
    const all = found.reduce((sum, form) => sum + (records.get(form) ?? 0), 0);
    const weight = Math.log(1 + Math.max(worded - all + 0.5, 0.5) / (all + 0.5));
    for (const form of found) weights.set(form, (weights.get(form) ?? 0) + weight);
  }
  return [...weights];
}
