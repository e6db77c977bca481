import type { AccountId } from '../kernel/ids.ts';

/** Why a column's values are not shown to the account that they belong to. */
export type Withheld =
  /** Recognises something, and cannot be turned back. */
  | 'hash'
  /** Opens something, and lies wrapped. */
  | 'key'
  /** Opens under the account key alone. */
  | 'sealed'
  /** Large; pages and routes of its own show it. */
  | 'elsewhere'
  /** Nobody said what it is: a fault of the platform, which a test looks for. */
  | 'unlisted';

export type StoredValue = string | number | null | { readonly bytes: number };

/** What one table holds of one account. */
export interface StoredTable {
  readonly store: string;
  readonly table: string;
  /** Rows of the account. */
  readonly count: number;
  /** All columns that the table has, whether or not it has rows of the account. */
  readonly columns: readonly { readonly name: string; readonly withheld: Withheld | null }[];
  /** In the order of the columns, at most as many as were asked for. */
  readonly rows: readonly (readonly StoredValue[])[];
  /** Of tables that are kept by day, newest first. */
  readonly days?: readonly { readonly day: string; readonly count: number }[];
}

/** One store's account of what it holds of people, read from its live schema so that nothing can be left out. */
export interface Inventory {
  of(accountId: AccountId, rowsMax: number): Promise<StoredTable[]>;
}
