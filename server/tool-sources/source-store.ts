import type { AccountId, ToolSourceId } from '../kernel/ids.ts';

/** All that lies readable of a source; the rest only the account key opens. */
export interface StoredSource {
  readonly id: ToolSourceId;
  readonly accountId: AccountId;
  readonly sealed: Uint8Array;
}

/** Durable when a promise resolves. */
export interface SourceStore {
  list(accountId: AccountId): Promise<StoredSource[]>;
  /** Adds it, or replaces what is sealed. */
  put(source: StoredSource): Promise<void>;
  /** Leaves no byte of the row in file or log. */
  remove(id: ToolSourceId): Promise<void>;
}
