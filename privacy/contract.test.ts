import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { describe, expect, it } from 'vitest';
import config from '../vitest.config.ts';
import { PEERS } from '../server/privacy/places.ts';
import { CLAUSES, OPEN_CLAUSES } from '../server/privacy/registry.ts';
import { createStatement } from '../server/privacy-statement/statement.ts';
import { DEFAULT_FACTS } from './contract/default-facts.ts';
import { CHECKS, type Platform, STATIC_MUTANTS } from './contract/mutants.ts';
import { privacyReport } from './contract/report.ts';
import { MIGRATIONS, liveColumns } from './contract/schemas.ts';
import { readSources, root } from './contract/sources.ts';
import { MUTANTS } from './mutants.ts';
import { AIMEE_MUTANTS, AI_MUTANTS, DATABASE_MUTANTS } from './service-mutants.ts';

/** An installation with every setting that brings somebody in. */
const EVERYTHING = {
  signInProvider: 'id.example.com',
  mailServer: 'mail.example.com',
  backupStore: 's3.example.com',
  modelSources: ['models.example.com'],
  models: (['chat', 'embedding'] as const).map((use) => ({
    use,
    name: 'far',
    isOutside: true,
    retention: 'provider' as const,
  })),
};

/** The test projects that run a file. */
function projectsOf(path: string): unknown[] {
  const matches = (globs: readonly string[] = []) => globs.some((glob) => matchesGlob(path, glob));
  return (config.test?.projects ?? []).filter(
    (project) =>
      typeof project === 'object' &&
      'test' in project &&
      matches(project.test?.include) &&
      !matches(project.test?.exclude),
  );
}

/** What the contract says, held against sources and schemas. Nothing is started. */
const platform: Platform = {
  sources: readSources(),
  columns: await liveColumns(),
  read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined),
};

describe('the clauses', () => {
  it('are each bound to modules that are there and to tests that run', () => {
    expect(CHECKS.clauses(platform)).toEqual([]);
  });

  it('are bound to tests that one project runs, which fails without them', () => {
    const paths = CLAUSES.flatMap(({ tests }) => tests.map((test) => test.split(' › ')[0] ?? ''));
    const strays = paths.filter((path) => projectsOf(path).length !== 1);
    expect(strays).toEqual([]);
  });

  it('are the same in the statement, which says of each whether it is kept', () => {
    const { useCases } = createStatement(DEFAULT_FACTS, OPEN_CLAUSES);
    const stated = new Map(useCases.flatMap(({ clauses }) => clauses).map(({ id, open }) => [id, open]));
    expect([...stated.keys()].toSorted()).toEqual(CLAUSES.map(({ id }) => id).toSorted());
    for (const { id, open } of CLAUSES) expect(stated.get(id)).toEqual(open ?? null);
  });
});

describe('those who get anything', () => {
  it('are named in the statement, whoever the platform has a connection to', () => {
    const { recipients } = createStatement({ ...DEFAULT_FACTS, ...EVERYTHING }, OPEN_CLAUSES);
    const stated = new Set<string>(recipients.map(({ kind }) => kind));
    const outside = PEERS.map(({ id }) => id).filter((id) => id !== 'inside');
    expect(outside.filter((id) => !stated.has(id))).toEqual([]);
  });
});

describe('the data map', () => {
  it('has a row for every column, and a column for every row', () => {
    expect(CHECKS.columns(platform)).toEqual([]);
    const migrated = readdirSync(join(root, 'server/stores/migrations'));
    expect(Object.keys(MIGRATIONS).toSorted()).toEqual(migrated.toSorted());
  });

  it('names only exporters, erasers, restrictors and recipients that are there', () => {
    expect(CHECKS.handlers(platform)).toEqual([]);
  });
});

describe('events of the log', () => {
  it('say what each of their fields holds', () => {
    expect(CHECKS.events()).toEqual([]);
  });
});

describe('files', () => {
  it('are opened for writing by declared modules alone', () => {
    expect(CHECKS.writers(platform)).toEqual([]);
  });
});

describe('connections', () => {
  it('are opened by declared modules alone', () => {
    expect(CHECKS.diallers(platform)).toEqual([]);
  });
});

describe('conversations', () => {
  it('are opened by declared modules alone, for the purposes that stand there', () => {
    expect(CHECKS.readers(platform)).toEqual([]);
  });
});

describe('cookies, and what else browsers keep', () => {
  it('are the declared ones', () => {
    expect(CHECKS.browsers(platform)).toEqual([]);
  });
});

describe('docs/privacy-report.md', () => {
  it('is what `npm run privacy:report` writes', () => {
    expect(platform.read('docs/privacy-report.md')).toBe(privacyReport());
  });
});

describe('builds that leak', () => {
  const all = [...MUTANTS, ...AI_MUTANTS, ...DATABASE_MUTANTS, ...AIMEE_MUTANTS];
  it.each(all)('can still be made: $name', ({ edits }) => {
    for (const { file, find } of edits) expect(platform.read(file)?.split(find)).toHaveLength(2);
  });
});

describe('the contract catches', () => {
  it.each(STATIC_MUTANTS)('$name', ({ faults }) => {
    expect(faults(platform)).not.toEqual([]);
  });
});
