import type { Holder } from '../accounts/principal.ts';
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
  /** Writes what was given and observed into a copy. Absent where there is nothing to take. */
  exportTo?(holder: Holder, writer: PackWriter): Promise<void>;
  /** Takes over what `exportTo` of any installation wrote: all or nothing for each object. */
  importFrom?(holder: Holder, reader: PackReader): Promise<void>;
}

/** What stays of an erased account, and on what ground. */
export interface Retained {
  readonly what: string;
  readonly reason: string;
}

/** Where an area puts its part of a copy. */
export interface PackWriter {
  /** Adds a JSON Lines file of the area, `<name>.jsonl`. */
  rows(name: string, rows: AsyncIterable<object> | Iterable<object>): Promise<void>;
}

/** Where an area finds its part of a copy. */
export interface PackReader {
  /** Nothing for a file that is not there. */
  rows(name: string): AsyncIterable<unknown>;
}

/** Tables that nobody answers for. */
export function unkept(keepers: readonly Keeper[], tables: Iterable<string>): string[] {
  const kept = new Set(keepers.flatMap((keeper) => keeper.tables));
  return [...new Set(tables)].filter((table) => !kept.has(table));
}
