import type { AccountId } from '../kernel/ids.ts';

/** What answers for a part of what is kept of an account holder; the name of its folder in a copy, too. */
export type Area =
  | 'accounts'
  | 'keys'
  | 'functions'
  | 'calls'
  | 'vectors'
  | 'sql'
  | 'aimee'
  | 'tool-sources'
  | 'layers'
  | 'backups';

/** One area's part in the rights of an account holder. */
export interface Keeper {
  readonly area: Area;
  /** `store.table` of the data map; several may answer for one. */
  readonly tables: readonly string[];
  /**
   * Resolves when nothing of the account is left, in files and their logs neither. Its keys may be gone already, and it may
   * be called again after a crash at any point of it.
   */
  erase(accountId: AccountId): Promise<void>;
  /** What `erase` leaves for a reason. */
  readonly retained?: readonly Retained[];
}

/** What stays of an erased account, and on what ground. */
export interface Retained {
  readonly what: string;
  readonly reason: string;
}

/** Tables that nobody answers for. */
export function unkept(keepers: readonly Keeper[], tables: Iterable<string>): string[] {
  const kept = new Set(keepers.flatMap((keeper) => keeper.tables));
  return [...new Set(tables)].filter((table) => !kept.has(table));
}
