import type { AccountId, ApiKeyId } from '../kernel/ids.ts';

/** What is kept of backups beside the target, so that the target can be held against it. Durable when a promise resolves. */
export interface BackupStore {
  /** A number for a generation that is about to be made; never given twice. */
  begin(at: number): Promise<number>;
  /** It lies complete in the target, under a manifest with this SHA-256. */
  finish(number: number, manifest: Uint8Array): Promise<void>;
  removed(number: number, at: number): Promise<void>;
  /** Those that are complete and were not removed, oldest first. */
  generations(): Promise<StoredGeneration[]>;
  /** Takes over a generation that lies complete in the target, unless it was removed. */
  adopt(generation: StoredGeneration): Promise<void>;

  request(request: RestoreRequest): Promise<void>;
  /** Newest first. */
  requests(): Promise<RestoreRequest[]>;
  findRequest(id: RestoreId): Promise<RestoreRequest | undefined>;
  approve(id: RestoreId, by: ApiKeyId, at: number): Promise<void>;
  executed(id: RestoreId, receipt: string, at: number): Promise<void>;

  log(access: Access, hash: AccessHash): Promise<void>;
  /** Oldest first. */
  accesses(): Promise<LoggedAccess[]>;
}

/** A restore that somebody asked for: `rst_…`. */
export type RestoreId = string & { readonly brand: 'RestoreId' };

export interface StoredGeneration {
  readonly number: number;
  readonly at: number;
  readonly manifest: Uint8Array;
}

export interface RestoreRequest {
  readonly id: RestoreId;
  readonly generation: number;
  readonly reason: string;
  readonly requestedBy: ApiKeyId;
  readonly requestedAt: number;
  readonly approvedBy: ApiKeyId | null;
  readonly approvedAt: number | null;
  readonly executedAt: number | null;
  readonly receipt: string | null;
}

export type AccessEvent =
  | 'made'
  | 'failed'
  | 'listed'
  | 'verified'
  | 'removed'
  | 'restore-requested'
  | 'restore-approved'
  | 'restored';

/** Who acted; null for the schedule and for who starts the server. */
export type Actor = AccountId | null;

export interface Access {
  readonly at: number;
  readonly event: AccessEvent;
  readonly actor: Actor;
  readonly generation: number | null;
  /** `ok`, or the code of a fault. */
  readonly outcome: string;
  readonly reason: string | null;
}

export interface LoggedAccess extends Access {
  readonly number: number;
  readonly hash: Uint8Array;
}

export type AccessHash = (
  access: Access & { readonly number: number },
  before: Uint8Array | undefined,
) => Uint8Array;
