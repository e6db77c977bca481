import type { Clause } from '../../server/privacy/clauses/clause.ts';

export interface ClauseCheck {
  readonly clauses: readonly Clause[];
  /** Hash of the published wordings, by clause. */
  readonly wordings: ReadonlyMap<string, string>;
  /** Text of a file of the project; undefined if there is none. */
  readonly read: (path: string) => string | undefined;
}

const ALL = Array.from({ length: 45 }, (_, at) => `P${at + 1}`);

/** What is wrong with the registry, one line each; empty when every promise is bound to what it says. */
export function clauseFaults({ clauses, wordings, read }: ClauseCheck): string[] {
  const ids = clauses.map(({ id }): string => id);
  return [
    ...ALL.filter((id) => !ids.includes(id)).map((id) => `${id} is not in the registry`),
    ...ALL.filter((id) => !wordings.has(id)).map((id) => `${id} is not in the statement`),
    ...ids
      .filter((id, at) => !ALL.includes(id) || ids.indexOf(id) !== at)
      .map((id) => `${id} is one too many`),
    ...clauses.flatMap((clause) => [
      ...wordingFaults(clause, wordings),
      ...clause.modules
        .filter((path) => read(path) === undefined)
        .map((path) => `${clause.id}: ${path} is gone`),
      ...(clause.open === undefined && clause.modules.length === 0
        ? [`${clause.id}: no module keeps it`]
        : []),
      ...(clause.open === undefined && clause.tests.length === 0 ? [`${clause.id}: no test attacks it`] : []),
      ...clause.tests.flatMap((test) =>
        testFaults(test, read).map((fault) => `${clause.id}: ${test} ${fault}`),
      ),
    ]),
  ];
}

function wordingFaults({ id, wording }: Clause, wordings: ClauseCheck['wordings']): string[] {
  const now = wordings.get(id);
  return now === undefined || now === wording
    ? []
    : [`${id}: its wording changed. Look at what it is bound to, then give it the hash ${now}`];
}

const SKIPPING = /\.(?:skip|todo|skipIf|runIf|only)\b|\{\s*skip\b/;

function testFaults(test: string, read: ClauseCheck['read']): string[] {
  const [path = '', name] = test.split(' › ', 2);
  if (name === undefined) return ['does not say which test'];
  const text = read(path);
  if (text === undefined) return ['has no file'];
  const escaped = escapePattern(name);
  const call = new RegExp(
    String.raw`\b(?:it|test|describe)(?:\.\w+(?:\([^)]*\))?)*\(\s*(?:'${escaped.replaceAll("'", String.raw`\\?'`)}'|"${escaped}"|${'`'}${escaped}${'`'})`,
  );
  if (!call.test(text)) return ['is not there'];
  return SKIPPING.test(text) ? ['may be skipped'] : [];
}

/** A regular expression that matches the text and nothing else. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
