import { createHash } from 'node:crypto';
import { type BothLanguages, USE_CASES, limitOf } from '../privacy-statement/clauses.ts';
import { accountClauses } from './clauses/accounts.ts';
import type { Clause } from './clauses/clause.ts';
import { databaseClauses } from './clauses/databases.ts';
import { requestClauses } from './clauses/requests.ts';
import { rightClauses } from './clauses/rights.ts';
import { visitorClauses } from './clauses/visitors.ts';

/** Every promise, in the order of its number. */
export const CLAUSES: readonly Clause[] = [
  ...accountClauses,
  ...requestClauses,
  ...databaseClauses,
  ...visitorClauses,
  ...rightClauses,
].toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));

/** Why clauses are not kept yet, by id. */
export const OPEN_CLAUSES: Readonly<Record<string, BothLanguages>> = Object.fromEntries(
  CLAUSES.flatMap(({ id, open }) => (open === undefined ? [] : [[id, open]])),
);

export type UseCases = typeof USE_CASES;

/** Hash of all wordings that a clause has, by id, as `Clause.wording` gives it. */
export function wordingHashes(useCases: UseCases = USE_CASES): ReadonlyMap<string, string> {
  const wordings = new Map<string, unknown[]>();
  for (const clause of useCases.flatMap(({ clauses }) => clauses)) {
    const { id, when, text } = clause;
    const known = wordings.get(id) ?? [];
    wordings.set(id, [...known, [when ?? null, text.en, text.de, limitOf(clause)]]);
  }
  return new Map([...wordings].map(([id, all]) => [id, hashOf(all)]));
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
