import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const VITEST = join(root, 'node_modules/vitest/vitest.mjs');

/** `fast` and `slow` stand for the projects. */
const config = (clauses: readonly object[]) => `
import { BoundTests } from ${JSON.stringify(join(root, 'tools/bound-tests.ts'))};
const project = (name) => ({ test: { name, include: [name + '/**/*.test.js'] } });
export default {
  test: {
    reporters: ['default', new BoundTests(${JSON.stringify(clauses)})],
    projects: [project('fast'), project('slow')],
  },
};`;

const CLAUSES = [
  { id: 'P1', tests: ['fast/one.test.js › holds', 'slow/two.test.js › holds for %s'] },
  { id: 'P2', tests: ['fast/one.test.js › holds', 'fast/suite.test.js › whatever comes'] },
];

/** Files in which all holds. */
const KEPT = {
  'fast/one.test.js': `it('holds', () => {}); it('is not bound', () => {});`,
  'fast/suite.test.js': `describe('whatever comes', () => { it('a', () => {}); it('b', () => {}); });`,
  'slow/two.test.js': `it.each(['x', 'y'])('holds for %s', () => {});`,
};
const SKIPS_ONE_CASE = `it.for(['x', 'y'])('holds for %s', (x, { skip }) => { if (x === 'y') skip(); });`;

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bound-tests-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

/** A run of Vitest of its own: its exit code, and what it said of bound tests. */
function run(files: Record<string, string>, args: readonly string[] = [], clauses = CLAUSES) {
  writeFileSync(join(home, 'vitest.config.mjs'), config(clauses));
  for (const [path, text] of Object.entries({ ...KEPT, ...files })) {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), `import { describe, it } from 'vitest';\n${text}`);
  }
  const { VITEST: _, ...env } = process.env;
  const command = [VITEST, 'run', '--allowOnly', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: home,
    encoding: 'utf8',
    env,
  });
  const faults = stripVTControlCharacters(stderr).match(/^ {2}P\d.*$/gm) ?? [];
  return { status, faults: faults.map((line) => line.trim()), output: stdout + stderr };
}

/** Ways in which a test does not run, by what is said of it then. */
const UNRUN = {
  'was skipped': [
    `it.skip('holds', () => {});`,
    `it.skipIf(true)('holds', () => {});`,
    `it('holds', ({ skip }) => skip());`,
    `it.todo('holds');`,
    `describe.skip('in a suite', () => { it('holds', () => {}); });`,
    `it('holds', () => {}); it.only('is not bound', () => {});`,
    `it.for(['x', 'y'])('holds', (x, { skip }) => { if (x === 'y') skip(); });`,
    `describe('holds', () => { it('a', () => {}); it('b', ({ skip }) => skip()); });`,
  ],
  'did not run': [
    `it('holds not', () => {});`,
    `it.each([])('holds', () => {}); it('is not bound', () => {});`,
    `throw new Error('before it could');`,
  ],
  failed: [`it('holds', () => { throw new Error('it does not'); });`],
};

describe('a run of everything', () => {
  it('passes when all bound tests did', () => {
    expect(run({})).toMatchObject({ status: 0, faults: [] });
  });

  it('names each that was skipped, whatever the way, did not run or failed', () => {
    const cases = Object.entries(UNRUN).flatMap(([outcome, texts]) =>
      texts.map((text) => ({ outcome, text })),
    );
    const files = cases.map(({ text }, at) => [`fast/case-${at}.test.js`, text] as const);
    const clauses = files.map(([path], at) => ({ id: `P${at}`, tests: [`${path} › holds`] }));
    const { faults } = run(Object.fromEntries(files), [], clauses);
    expect(faults).toEqual(
      cases.map(({ outcome }, at) => `P${at}: fast/case-${at}.test.js › holds ${outcome}`),
    );
  });

  it('fails for a test that is skipped, and for nothing else', () => {
    const { status, faults } = run({ 'slow/two.test.js': SKIPS_ONE_CASE });
    expect(faults).toEqual(['P1: slow/two.test.js › holds for %s was skipped']);
    expect(status).toBe(1);
  });
});

describe('a run of one project', () => {
  it('asks for its own tests, and leaves those of the other to that', () => {
    const files = { 'slow/two.test.js': SKIPS_ONE_CASE };
    expect(run(files, ['--project', 'fast'])).toMatchObject({ status: 0, faults: [] });
    const { status, faults } = run(files, ['--project', 'slow']);
    expect(faults).toEqual(['P1: slow/two.test.js › holds for %s was skipped']);
    expect(status).toBe(1);
  });
});

describe('a run of some tests', () => {
  const skips = { 'fast/one.test.js': `it('is not bound', () => {});\nit('holds', ({ skip }) => skip());` };

  it.each([
    ['of other files', ['fast/suite.test.js']],
    ['called otherwise', ['-t', 'is not bound']],
    ['on other lines', ['--includeTaskLocation', 'fast/one.test.js:2']],
  ])('does not ask for those %s', (_, args) => {
    expect(run(skips, args)).toMatchObject({ status: 0, faults: [] });
  });

  it.each([
    ['in a file that ran', ['fast/one.test.js']],
    ['under a name that ran', ['-t', 'holds']],
  ])('fails when one is skipped %s', (_, args) => {
    const { status, faults } = run(skips, args);
    expect(faults).toEqual(['P1, P2: fast/one.test.js › holds was skipped']);
    expect(status).toBe(1);
  });
});
