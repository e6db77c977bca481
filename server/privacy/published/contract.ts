import { createHash } from 'node:crypto';
import type { PrivacyContract } from '../../../contract/index.ts';
import type { Statement } from '../../privacy-statement/statement.ts';
import { DATA_MAP } from '../data-map/data-map.ts';
import { CLAUSES } from '../registry.ts';
import { linkedData } from './linked-data.ts';
import { type Page, contractPage } from './page.ts';
import { processingRecord } from './record.ts';

/** All forms in which an installation publishes its contract; made once, when it starts. */
export interface PublishedContract {
  readonly contract: PrivacyContract;
  readonly page: Page;
  /** JSON-LD. */
  readonly dataMap: string;
  /** Markdown. */
  readonly record: string;
}

/** `issuedAt` in RFC 3339. */
export function publishContract(statement: Statement, issuedAt: string): PublishedContract {
  const dataMap = JSON.stringify(linkedData(statement, DATA_MAP));
  const { version, facts, recipients } = statement;
  const contract: PrivacyContract = {
    version,
    issuedAt,
    facts: { ...facts, models: [...facts.models], modelSources: [...facts.modelSources] },
    recipients: [...recipients],
    clauses: clausesOf(statement),
    dataMap: { columns: DATA_MAP.length, sha256: sha256(dataMap) },
  };
  return {
    contract,
    page: contractPage(contract, DATA_MAP),
    dataMap,
    record: processingRecord(statement, DATA_MAP),
  };
}

function clausesOf({ useCases }: Statement): PrivacyContract['clauses'] {
  const bound = new Map(CLAUSES.map((clause): [string, (typeof CLAUSES)[number]] => [clause.id, clause]));
  return useCases
    .flatMap(({ id: useCase, clauses }) => clauses.map((clause) => ({ useCase, ...clause })))
    .toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))
    .map((clause) => ({
      ...clause,
      sha256: sha256(JSON.stringify({ text: clause.text, limit: clause.limit })),
      state: clause.open === null ? 'kept' : 'open',
      modules: [...(bound.get(clause.id)?.modules ?? [])],
      tests: [...(bound.get(clause.id)?.tests ?? [])],
    }));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
