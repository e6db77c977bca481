import { describe, expect, it } from 'vitest';
import { USE_CASES, limitOf } from './clauses.ts';
import { type StatementFacts, createStatement } from './statement.ts';

const FACTS: StatementFacts = {
  version: '1.2.3',
  controller: null,
  hasSwap: false,
  modelSources: [],
  sandbox: 'bubblewrap',
  callRetentionDays: 17,
  tokenHours: 24,
  sessionHours: 12,
  signInProvider: null,
  mailServer: null,
  models: [],
  backupStore: null,
  backupDays: null,
  receiptKeys: '/.well-known/jellyfaas-receipts',
};
const OWN = { use: 'chat', name: 'lab', isOutside: false, retention: 'none' } as const;
const OUTSIDE = { use: 'chat', name: 'gemini', isOutside: true, retention: 'provider' } as const;
const ALL = Array.from({ length: 45 }, (_, at) => `P${at + 1}`);

const installations: StatementFacts[] = (['bubblewrap', 'none'] as const).flatMap((sandbox) =>
  [null, 'id.example.com'].flatMap((signInProvider) =>
    [null, 30].flatMap((backupDays) =>
      [[], [OWN], [OWN, OUTSIDE]].map((models) => ({
        ...FACTS,
        sandbox,
        signInProvider,
        backupDays,
        models,
      })),
    ),
  ),
);

describe('the statement of an installation', () => {
  it('has each of the 45 promises once, whatever the installation is', () => {
    for (const facts of installations) {
      const ids = createStatement(facts, {}).useCases.flatMap(({ clauses }) => clauses.map(({ id }) => id));
      expect(ids.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))).toEqual(ALL);
    }
  });

  it('leaves no fact open, in either language', () => {
    for (const facts of installations)
      expect(JSON.stringify(createStatement(facts, {}))).not.toMatch(/\{\{|""/);
  });

  it('names the same facts in both languages', () => {
    const names = (text: string): string[] => (text.match(/\{\{\w+\}\}/g) ?? []).toSorted();
    for (const { clauses } of USE_CASES) {
      for (const clause of clauses) {
        expect(names(clause.text.de)).toEqual(names(clause.text.en));
        expect(names(limitOf(clause)?.de ?? '')).toEqual(names(limitOf(clause)?.en ?? ''));
      }
    }
  });

  it('says what is in force here', () => {
    const text = JSON.stringify(
      createStatement({ ...FACTS, signInProvider: 'id.example.com', models: [OUTSIDE] }, {}),
    );
    expect(text).toContain('after 17 days');
    expect(text).toContain('id.example.com');
  });

  it('names outside models among those who get something, and own ones not', () => {
    const { recipients } = createStatement({ ...FACTS, models: [OWN, OUTSIDE] }, {});
    expect(recipients.filter(({ kind }) => kind === 'model')).toEqual([
      { kind: 'model', name: 'gemini', retention: 'provider' },
    ]);
  });

  it('does not hide that there is no sandbox', () => {
    const text = JSON.stringify(createStatement({ ...FACTS, sandbox: 'none' }, {}));
    expect(text).toContain('WITHOUT A SANDBOX');
  });
});
