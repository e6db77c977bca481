import { isAbsolute, join } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSpecification, Vitest } from 'vitest/node';
import { escapePattern } from '../privacy/contract/check-clauses.ts';
import type { Clause } from '../server/privacy/clauses/clause.ts';

interface Bound {
  readonly path: string;
  /** Of a test, or of a suite: then it stands for all tests in it. */
  readonly name: RegExp;
  /** `P5, P6: file › name`, as faults begin. */
  readonly label: string;
}

/**
 * Fails a run, naming them, when tests that promises are bound to did not pass: skipped by whatever way, failed, or not
 * there. A run of whole projects has to have run all bound tests of these projects, one of some files those of these
 * files, and one of some names those with such names.
 */
export class BoundTests implements Reporter {
  readonly #bound: readonly Bound[];
  #vitest: Vitest | undefined;
  #specifications: readonly TestSpecification[] = [];

  constructor(clauses: readonly Pick<Clause, 'id' | 'tests'>[]) {
    const tests = new Set(clauses.flatMap((clause) => clause.tests));
    this.#bound = [...tests].map((test) => {
      const [path = '', name = ''] = test.split(' › ', 2);
      const ids = clauses.filter((clause) => clause.tests.includes(test)).map(({ id }) => id);
      return { path, name: titlePattern(name), label: `${ids.join(', ')}: ${test}` };
    });
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#specifications = specifications;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    if (this.#vitest === undefined) return;
    const faults = await this.#faults(this.#vitest, modules);
    if (faults.length === 0) return;
    this.#vitest.logger.error(
      ['\nTests that promises are bound to (server/privacy/clauses) have to run and pass:', ...faults].join(
        '\n  ',
      ),
    );
    process.exitCode = 1;
  }

  async #faults(vitest: Vitest, modules: readonly TestModule[]): Promise<string[]> {
    const names = vitest.getGlobalTestNamePattern();
    const byLine = this.#specifications.filter(({ testLines = [] }) => testLines.length > 0);
    const isWhole = await this.#hasAllFiles(vitest);
    return this.#bound.flatMap(({ path, name, label }) => {
      const id = isAbsolute(path) ? path : join(vitest.config.root, path);
      const module = modules.find(({ moduleId }) => moduleId === id);
      if (module === undefined) {
        const isMissing =
          isWhole && names === undefined && vitest.projects.some((project) => project.matchesTestGlob(id));
        return isMissing ? [`${label} did not run`] : [];
      }
      if (byLine.some(({ moduleId }) => moduleId === id)) return [];
      const tests = [...module.children.allTests()].filter((test) => isCalled(test, name));
      if (tests.length === 0) return names === undefined ? [`${label} did not run`] : [];
      const asked = tests.filter(({ fullName }) => names === undefined || names.test(fullName));
      return unpassed(asked).map((outcome) => `${label} ${outcome}`);
    });
  }

  /** Whether the run was of all test files of its projects: not of those of a path, a shard, a change. */
  async #hasAllFiles(vitest: Vitest): Promise<boolean> {
    const ran = new Set(this.#specifications.map(({ moduleId }) => moduleId));
    return (await vitest.globTestSpecifications()).every(({ moduleId }) => ran.has(moduleId));
  }
}

const OUTCOMES = { skipped: 'was skipped', failed: 'failed', pending: 'did not end' };

/** How tests ended that did not pass, each way once. */
function unpassed(tests: readonly TestCase[]): string[] {
  const states = new Set(tests.map((test) => test.result().state));
  return [...states].flatMap((state) => (state === 'passed' ? [] : [OUTCOMES[state]]));
}

/** Whether a test, or a suite that it is in, has the name. */
function isCalled(test: TestCase, name: RegExp): boolean {
  for (let task: TestCase | TestCase['parent'] = test; task.type !== 'module'; task = task.parent)
    if (name.test(task.name)) return true;
  return false;
}

/** What `it.each` makes of a name: places for values (`%s`, `$name`) hold anything. */
function titlePattern(name: string): RegExp {
  const texts = name.split(/%[a-z#$]|\$\{[^}]*\}|\$[\w.]+/i);
  return new RegExp(`^${texts.map((text) => escapePattern(text)).join('.*')}$`, 's');
}
