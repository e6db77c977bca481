import type { BothLanguages } from '../../privacy-statement/clauses.ts';

/** One promise, bound to what keeps it and to what attacks it. */
export interface Clause {
  /** As in the statement; never used for another promise. */
  readonly id: `P${number}`;
  /** First 16 hex digits of the SHA-256 of its wordings: whoever changes them looks at what they are bound to. */
  readonly wording: string;
  /** Files that enforce it. */
  readonly modules: readonly string[];
  /** `file › name` of tests that would fail if it did not hold. */
  readonly tests: readonly string[];
  /** What of it is not kept yet; shown wherever the clause is. */
  readonly open?: BothLanguages;
}
