import type { Controller } from './controller-settings.ts';
import { type BothLanguages, type Condition, USE_CASES, limitOf } from './clauses.ts';

/** What the statement is made from: the settings in force. */
export interface StatementFacts {
  readonly version: string;
  /** Who answers for the installation; null where the operator has not said. */
  readonly controller: Controller | null;
  readonly sandbox: 'bubblewrap' | 'none';
  /** Whether the machine moves memory to a disk, that of the server too. */
  readonly hasSwap: boolean;
  readonly callRetentionDays: number;
  readonly tokenHours: number;
  readonly sessionHours: number;
  /** Host of the identity provider. */
  readonly signInProvider: string | null;
  readonly models: readonly StatedModel[];
  /** Hosts that weights of models are fetched from, when the operator asks for it. */
  readonly modelSources: readonly string[];
  /** Host of the mail server that tells customers of AI.Mee of visitors who ask for a person. */
  readonly mailServer: string | null;
  /** Host of the S3-compatible store that has the backups; null where they lie in a directory, or are none. */
  readonly backupStore: string | null;
  /** Days after which no backup is left that was made before; null without backups. */
  readonly backupDays: number | null;
  /** Path of the public key that checks receipts. */
  readonly receiptKeys: string;
}

export type StatedFacts = Omit<StatementFacts, 'version'>;

export interface StatedModel {
  readonly use: 'chat' | 'embedding';
  readonly name: string;
  readonly isOutside: boolean;
  readonly retention: 'none' | 'provider';
}

export interface Recipient {
  readonly kind:
    | 'identity-provider'
    | 'model'
    | 'embedding-model'
    | 'package-registry'
    | 'function-host'
    | 'tool-source'
    | 'sql-host'
    | 'mail-server'
    | 'backup-store'
    | 'model-source'
    | 'crawled-site'
    | 'copy-receiver'
    | 'name-server';
  /** Null where accounts, functions or the machine name them. */
  readonly name: string | null;
  readonly retention: StatedModel['retention'] | null;
}

export interface Statement {
  readonly version: string;
  readonly facts: StatedFacts;
  readonly recipients: readonly Recipient[];
  readonly useCases: readonly {
    readonly id: string;
    readonly title: BothLanguages;
    readonly clauses: readonly {
      readonly id: string;
      readonly text: BothLanguages;
      readonly limit: BothLanguages | null;
      /** What of it is not kept yet. */
      readonly open: BothLanguages | null;
    }[];
  }[];
}

/** The promises in the wording that fits this installation, with its facts in place. `open` has those not kept yet, by id. */
export function createStatement(
  { version, ...facts }: StatementFacts,
  open: Readonly<Record<string, BothLanguages>>,
): Statement {
  const holds = conditionsOf(facts);
  const values: Readonly<Record<string, string>> = {
    provider: facts.signInProvider ?? '',
    retentionDays: String(facts.callRetentionDays),
    sessionHours: String(facts.sessionHours),
    backupDays: String(facts.backupDays ?? ''),
    receiptKeys: facts.receiptKeys,
  };
  const filled = (texts: BothLanguages): BothLanguages => ({
    en: fill(texts.en, values),
    de: fill(texts.de, values),
  });
  return {
    version,
    facts,
    recipients: recipientsOf(facts),
    useCases: USE_CASES.map(({ id, title, clauses }) => ({
      id,
      title,
      clauses: clauses
        .filter(({ when }) => when === undefined || holds.has(when))
        .map((clause) => {
          const limit = limitOf(clause);
          return {
            id: clause.id,
            text: filled(clause.text),
            limit: limit && filled(limit),
            open: open[clause.id] ?? null,
          };
        }),
    })),
  };
}

function conditionsOf(facts: StatedFacts): ReadonlySet<Condition> {
  const chat = facts.models.filter(({ use }) => use === 'chat');
  const own = chat.some(({ isOutside }) => isOutside) ? 'outside-models' : 'own-models';
  return new Set<Condition>([
    facts.signInProvider === null ? 'no-provider' : 'provider',
    facts.sandbox === 'none' ? 'no-sandbox' : 'sandbox',
    facts.backupDays === null ? 'no-backups' : 'backups',
    chat.length === 0 ? 'no-models' : own,
  ]);
}

function recipientsOf(facts: StatedFacts): Recipient[] {
  const { signInProvider, models, modelSources, mailServer, backupStore } = facts;
  const outside = models.filter(({ isOutside }) => isOutside);
  return [
    ...(signInProvider === null
      ? []
      : [{ kind: 'identity-provider', name: signInProvider, retention: null } as const]),
    ...outside.map(
      ({ use, name, retention }) =>
        ({ kind: use === 'chat' ? 'model' : 'embedding-model', name, retention }) as const,
    ),
    ...(mailServer === null ? [] : [{ kind: 'mail-server', name: mailServer, retention: null } as const]),
    ...(backupStore === null ? [] : [{ kind: 'backup-store', name: backupStore, retention: null } as const]),
    ...modelSources.map((name) => ({ kind: 'model-source', name, retention: null }) as const),
    { kind: 'package-registry', name: null, retention: null },
    { kind: 'function-host', name: null, retention: null },
    { kind: 'tool-source', name: null, retention: null },
    { kind: 'sql-host', name: null, retention: null },
    { kind: 'crawled-site', name: null, retention: null },
    { kind: 'copy-receiver', name: null, retention: null },
    { kind: 'name-server', name: null, retention: null },
  ];
}

/** A text that names a fact which there is none of is a mistake of ours, and a test finds it. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
}
