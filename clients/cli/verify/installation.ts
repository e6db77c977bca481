import type * as contract from '@jellyfaas/contract';
import type { CanaryRun } from '../../../privacy/harness/canary.ts';
import type { Findings } from './findings.ts';
import type { Visitor } from './visit.ts';

/** What every check works with. */
export interface Installation {
  readonly url: string;
  readonly nobody: Visitor;
  readonly owner: Visitor;
  /** The throw-away account. */
  readonly guest: Guest;
  readonly contract: contract.PrivacyContract;
  /** `store.table.column` of the data map. */
  readonly columns: ReadonlySet<string>;
  /** The key that the installation publishes to check what it signs. */
  readonly signingKey: Readonly<Record<string, unknown>>;
  readonly run: CanaryRun;
  readonly findings: Findings;
  /** Canaries are in use since then. */
  readonly startedAt: number;
}

export interface Guest {
  readonly name: string;
  readonly email: string;
  readonly apiKey: string;
  readonly visit: Visitor;
}

/** A part of the verification; `clauses` are those that cannot count as kept if it breaks off. */
export interface Part {
  readonly name: string;
  readonly clauses: readonly string[];
  run(installation: Installation): Promise<void>;
}
