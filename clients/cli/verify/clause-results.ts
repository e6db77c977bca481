import type * as contract from '@jellyfaas/contract';
import type { Finding } from './findings.ts';

/** One promise with everything that was tried against it. */
export interface ClauseResult {
  readonly id: string;
  /** The wording of the installation. */
  readonly text: string;
  /** What of it is not kept yet, by the installation's own word. */
  readonly open: string | null;
  /** `pass`: whatever could be checked from here. */
  readonly result: Finding['result'];
  /** `file › name` of the tests of the software that attack it, whatever was checked here. */
  readonly tests: readonly string[];
  readonly checks: readonly Omit<Finding, 'clauses'>[];
}

/** Findings by promise, in the order of the contract; one that nothing was tried against says why. */
export function clauseResults(
  clauses: contract.PrivacyContract['clauses'],
  findings: readonly Finding[],
): ClauseResult[] {
  return clauses.map(({ id, text, open, tests }) => {
    const own = findings.filter(({ clauses: about }) => about.includes(id));
    const checks = own.map(({ tried, observed, result }) => ({ tried, observed, result }));
    return {
      id,
      text: text.en,
      open: open?.en ?? null,
      result: resultOf(checks),
      tests,
      checks:
        checks.length > 0
          ? checks
          : [{ tried: 'Not checked from outside', observed: reasonFor(id), result: 'unchecked' }],
    };
  });
}

function resultOf(checks: ClauseResult['checks']): Finding['result'] {
  if (checks.some(({ result }) => result === 'fail')) return 'fail';
  return checks.some(({ result }) => result === 'pass') ? 'pass' : 'unchecked';
}

/** Why some promises cannot be checked from a command line. */
const REASONS: readonly (readonly [ids: readonly string[], reason: string])[] = [
  [['P21'], 'No database is asked in words from here.'],
  [['P17', 'P18'], 'Backups lie where no request reaches.'],
  [
    ['P22', 'P24', 'P25', 'P26', 'P34', 'P35'],
    'It happens in the browser of a visitor, on a site of a customer.',
  ],
  [
    ['P27', 'P28', 'P29', 'P30', 'P31', 'P32', 'P33', 'P36', 'P37', 'P38'],
    'It needs conversations of visitors with an assistant.',
  ],
  [['P40', 'P41', 'P43', 'P44', 'P45'], 'It takes a person who asks, and his answer.'],
];

function reasonFor(id: string): string {
  return REASONS.find(([ids]) => ids.includes(id))?.[1] ?? 'Nothing of it shows in answers.';
}
