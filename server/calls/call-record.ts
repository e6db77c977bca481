import type { AccountId, FunctionId } from '../kernel/ids.ts';

/**
 * Everything that a call leaves behind (decision D1). The UTC day is the partition that the row lies in; there
 * is no wall-clock column and no other field, ever.
 */
export interface CallRecord {
  /** The caller's account. */
  readonly accountId: AccountId;
  readonly functionId: FunctionId;
  readonly version: number;
  /** Socket peer, or the trusted proxy's last hop: textual IPv4 or IPv6, never a header's free text. */
  readonly originIp: string;
  /** From the request's arrival to the last byte of the answer, rounded to whole milliseconds. */
  readonly durationMs: number;
  /** The function answered completely with a status below 400. */
  readonly ok: boolean;
}

export interface CallStatistics {
  readonly invocations: number;
  readonly failures: number;
  readonly avgDurationMs: number;
}

/** So many calls with this outcome took that long. */
export interface DurationCount {
  readonly durationMs: number;
  readonly ok: boolean;
  readonly calls: number;
}

/** So many calls that are equal in all that is recorded. */
export interface CountedCall extends CallRecord {
  readonly calls: number;
}

export interface CallStore {
  /** Appends rows to one day's partition in one transaction; durable against the end of the process. */
  append(day: string, rows: readonly CallRecord[]): Promise<void>;
  /** Days that have a partition, newest first. */
  days(): Promise<string[]>;
  /** One caller's rows of a day in no particular order. */
  list(accountId: AccountId, day: string, limit: number): Promise<CallRecord[]>;
  /** All of one caller's calls of a day; pages follow each other by `after`. */
  counted(
    accountId: AccountId,
    day: string,
    page: { readonly after?: CallRecord | undefined; readonly limit: number },
  ): Promise<CountedCall[]>;
  /** Rejects with `account.statistics_objected`. One caller's calls of a day, optionally of one function, counted by duration and outcome; shortest first. */
  durations(accountId: AccountId, day: string, functionId?: FunctionId): Promise<DurationCount[]>;
  /** Totals of a function over all kept days, by version; without callers who are restricted or have objected. */
  statistics(functionId: FunctionId): Promise<ReadonlyMap<number, CallStatistics>>;
  /**
   * Destroys the partitions older than `oldestDay`: key first, then file. Of those that hold rows of restricted accounts the
   * other rows go. Days after `today` come from a clock that was wrong, then or now; their age counts from when they were
   * first found so. Returns how many there were of each, those ahead among the kept.
   */
  expire(span: {
    readonly oldestDay: string;
    readonly today: string;
  }): Promise<{ destroyed: number; resting: number; ahead: number }>;
  /** Removes one account's rows from every partition (erasure), and takes no more of it: a call may still be ending. */
  eraseAccount(accountId: AccountId): Promise<void>;
}
