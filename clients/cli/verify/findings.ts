/** What one check tried and saw. */
export interface Finding {
  /** Ids of the promises that it is about. */
  readonly clauses: readonly string[];
  readonly tried: string;
  readonly observed: string;
  /** `unchecked`: not checkable from here; `observed` says why. */
  readonly result: 'pass' | 'fail' | 'unchecked';
}

/** Collects findings; `onFinding` hears of each at once. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #onFinding: (finding: Finding) => void;

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding;
  }

  /** `faults` is what contradicts the promise, in words; `observed` what was seen if there is none. */
  check(clauses: readonly string[], tried: string, outcome: Outcome): void {
    const { faults, observed } = outcome;
    this.#add(
      faults.length === 0
        ? { clauses, tried, observed, result: 'pass' }
        : { clauses, tried, observed: faults.slice(0, FAULTS_SHOWN_MAX).join('; '), result: 'fail' },
    );
  }

  skip(clauses: readonly string[], tried: string, why: string): void {
    this.#add({ clauses, tried, observed: why, result: 'unchecked' });
  }

  #add(finding: Finding): void {
    this.all.push(finding);
    this.#onFinding(finding);
  }
}

interface Outcome {
  readonly faults: readonly string[];
  readonly observed: string;
}

const FAULTS_SHOWN_MAX = 5;

/** The fault, if it is one: for lists of faults. */
export function faultIf(isFault: boolean, fault: string): string[] {
  return isFault ? [fault] : [];
}

/** Names of fields that are not the promised ones, either way. */
export function fieldFaults(row: object, promised: readonly string[], optional: readonly string[]): string[] {
  const fields = Object.keys(row);
  return [
    ...fields
      .filter((name) => !promised.includes(name) && !optional.includes(name))
      .map((name) => `it has a field "${name}", which is not promised`),
    ...promised.filter((name) => !fields.includes(name)).map((name) => `its field "${name}" is missing`),
  ];
}
