import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Filter, FilterOperators, Metadata } from '../vectors/engine/vector-engine.ts';
import { FIELD_KINDS, fieldKind, fieldValue } from './vector-rows.ts';

type Scalar = Metadata[string];

const OPERATORS = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` } as const;
const DOCUMENT_FIELD = '$document';

/**
 * The keys of all records that fit. Values are equal only to values of their own type; a field that is missing is equal
 * to nothing, so `ne` fits it. Strings are ordered by code point.
 */
export function matchingRecords(filter: Filter): RawBuilder<{ key: number }> {
  const conditions = Object.entries(filter).flatMap(([name, wanted]) => conditionsOf(name, wanted));
  const all = [
    sql`true`,
    ...conditions.map(({ isIn, set }) => (isIn ? sql`key in (${set})` : sql`key not in (${set})`)),
  ];
  return sql`select key from record where ${sql.join(all, sql` and `)}`;
}

/** Fits the records inside of a set, or all outside of it. */
interface Condition {
  readonly isIn: boolean;
  readonly set: RawBuilder<unknown>;
}

function conditionsOf(name: string, wanted: Scalar | FilterOperators): Condition[] {
  if (wanted === null || typeof wanted !== 'object') return [{ isIn: true, set: equal(name, [wanted]) }];
  const conditions: Condition[] = [];
  if (wanted.eq !== undefined) conditions.push({ isIn: true, set: equal(name, [wanted.eq]) });
  if (wanted.ne !== undefined) conditions.push({ isIn: false, set: equal(name, [wanted.ne]) });
  if (wanted.in !== undefined) conditions.push({ isIn: true, set: equal(name, wanted.in) });
  if (wanted.exists !== undefined)
    conditions.push({ isIn: wanted.exists, set: recordsWith(name, sql`true`) });
  for (const operator of ['gt', 'gte', 'lt', 'lte'] as const) {
    const bound = wanted[operator];
    if (bound === undefined) continue;
    const fits = sql`kind = ${fieldKind(bound)} and value ${OPERATORS[operator]} ${bound}`;
    conditions.push({ isIn: true, set: recordsWith(name, fits) });
  }
  return conditions;
}

function equal(name: string, values: readonly Scalar[]): RawBuilder<unknown> {
  const byKind = Map.groupBy(values, fieldKind);
  const fits = [...byKind].map(([kind, some]) =>
    kind === FIELD_KINDS.null
      ? sql`kind = ${kind}`
      : sql`kind = ${kind} and value in (${sql.join(some.map(fieldValue))})`,
  );
  return recordsWith(name, fits.length === 0 ? sql`false` : sql.join(fits, sql` or `));
}

/** Records with a field of that name for which `fits` holds, of the columns `kind` and `value`. */
function recordsWith(name: string, fits: RawBuilder<unknown>): RawBuilder<unknown> {
  if (name !== DOCUMENT_FIELD) return sql`select record from field where name = ${name} and (${fits})`;
  return sql`select record.key from record join
    (select key as document_key, ${sql.lit(FIELD_KINDS.string)} as kind, document_id as value from document)
    on document_key = record.document where ${fits}`;
}
