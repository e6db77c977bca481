import type { AccountId } from '../kernel/ids.ts';
import type { ClockedProgress, Progress, RequestId, RightKind } from './request.ts';

/** What one may object to. */
export type ObjectionPurpose = 'origin-ip' | 'statistics';

/** What a request asks for. */
export interface Asked {
  readonly kind: RightKind;
  /** Of an objection and its withdrawal; null for the others. */
  readonly purpose: ObjectionPurpose | null;
}

export interface StoredRequest extends Asked, Progress {
  readonly id: RequestId;
  readonly accountId: AccountId;
  /** The operator carries it out, not the platform. */
  readonly byOperator: boolean;
  /** Parts that the copy given for it lacks, because they could not be read. */
  readonly missing: number;
}

export type ClockedRequest = StoredRequest & ClockedProgress;

/** Requests of account holders; they go with the account. Durable when a promise resolves. */
export interface RequestRows {
  /** Newest first. */
  list(accountId: AccountId): Promise<StoredRequest[]>;
  /** Those of everybody that have not ended, the oldest first. */
  listOpen(): Promise<StoredRequest[]>;
  find(id: RequestId): Promise<StoredRequest | undefined>;
  /**
   * False, and nothing changed, when the account has an open one that asks the same of the same. Of those that have ended
   * the newest `keep` stay.
   */
  insert(request: StoredRequest, keep: number): Promise<boolean>;
  /** False, and nothing changed, when it has ended or is gone. */
  update(id: RequestId, progress: Progress & Pick<StoredRequest, 'missing'>): Promise<boolean>;
}
