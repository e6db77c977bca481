/**
 * One row of the data map: a column of a store and everything that has to be known of it. Pages, the record of processing
 * activities and the signed contract are made from these rows; a test holds them against the live schemas.
 */
export interface DataRow extends ColumnFacts {
  readonly store: Store;
  readonly table: string;
  readonly column: string;
}

export type Store =
  | 'keys'
  | 'accounts'
  | 'functions'
  | 'calls'
  | 'databases'
  | 'vectors'
  | 'sql'
  | 'aimee-sites'
  | 'aimee'
  | 'backups';

export interface ColumnFacts {
  /** The group of clauses that it belongs to. */
  readonly useCase: UseCase;
  /** Of whom it tells. */
  readonly subject: Subject;
  readonly category: Category;
  readonly purpose: string;
  readonly basis: Basis;
  readonly retention: string;
  /** Who outside the installation may get it. */
  readonly recipients: readonly string[];
  readonly exporter: Handler;
  readonly eraser: Handler;
  readonly restrictor: Handler;
}

export type UseCase = 'sign-in' | 'functions' | 'calls' | 'vectors' | 'sql' | 'visitors' | 'backups';

export type Subject =
  | 'account holder'
  | 'visitor'
  /** Persons whom an account's own data tells of; the account is the controller. */
  | 'persons in customer data'
  | 'nobody';

export type Category =
  | 'identifier'
  | 'name'
  | 'e-mail address'
  | 'IP address'
  | 'keyed hash'
  | 'key, wrapped'
  | 'content'
  | 'content, sealed'
  | 'settings'
  | 'usage figures'
  | 'time'
  | 'technical';

export type Basis =
  | 'Art. 6(1)(b) GDPR: contract'
  | 'Art. 6(1)(f) GDPR: legitimate interest'
  | 'Art. 28 GDPR: on behalf of the customer'
  | 'no personal data';

/** What does it: an operation of the public API, an identifier in a module, or nothing, and why. */
export type Handler = `route:${string}` | `code:${string}#${string}` | `none: ${string}`;

export interface TableDescription extends Omit<ColumnFacts, 'category'> {
  readonly store: Store;
  readonly table: string;
  readonly columns: Readonly<Record<string, Category | ColumnDescription>>;
}

/** What is different from the rest of its table. */
export type ColumnDescription = Partial<ColumnFacts> & Pick<ColumnFacts, 'category'>;

export function describeTable({ store, table, columns, ...facts }: TableDescription): DataRow[] {
  return Object.entries(columns).map(([column, own]) => ({
    store,
    table,
    column,
    ...facts,
    ...(typeof own === 'string' ? { category: own } : own),
  }));
}

/** The table in which each store counts its own migrations. */
export function describeMigrations(store: Store, useCase: UseCase): DataRow[] {
  return describeTable({
    store,
    table: 'migration',
    ...TECHNICAL,
    useCase,
    purpose: 'Know which form the file has',
    retention: 'As long as the file',
    columns: { version: 'technical', name: 'technical' },
  });
}

/** Of nobody. */
export const TECHNICAL = {
  subject: 'nobody',
  basis: 'no personal data',
  recipients: [],
  exporter: 'none: tells of nobody',
  eraser: 'none: goes with its file',
  restrictor: 'none: tells of nobody',
} as const satisfies Partial<ColumnFacts>;

/** Asked by every store and service before it gives or changes anything of an account. */
export const BY_RESTRICTION = 'code:server/rights/restriction.ts#check';

/** What is kept of a request under the GDPR, whoever makes it. */
export const REQUEST_COLUMNS = {
  kind: 'settings',
  state: 'technical',
  received_on: 'time',
  reminder: 'technical',
  extended_on: 'time',
  extension_reason: 'content',
  ended_on: 'time',
  refusal: 'content',
  receipt: 'technical',
} as const;
