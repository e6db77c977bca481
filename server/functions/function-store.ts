import type { AccountId, BuildId, FunctionId, LayerId } from '../kernel/ids.ts';
import type { FunctionSpec } from './spec.ts';

/**
 * What the control plane keeps of functions. A function exists while it has a version or a build; every method
 * that removes one of those removes the function with the last of them. Times are epoch milliseconds. Methods
 * that take an account see only what that account owns and answer `undefined` for everything else.
 */
export interface FunctionStore extends BuildStore {
  /** Whoever owns it, whatever its state. */
  shortnameTaken(shortname: string): Promise<boolean>;
  /** Has `accountId` a function of this name, in whatever state? */
  own(accountId: AccountId, shortname: string): Promise<FunctionRow | undefined>;
  /** All that `accountId` owns, in whatever state. */
  listOwn(accountId: AccountId): Promise<FunctionRow[]>;
  /** Own and published functions with at least one version, by shortname. */
  listVisible(accountId: AccountId): Promise<FunctionRow[]>;
  findVisible(accountId: AccountId, shortname: string): Promise<FunctionRow | undefined>;
  /** Newest first. The function must have come from a method that checked who asks. */
  versions(functionId: FunctionId): Promise<VersionRow[]>;
  /** The given or the newest version. */
  version(functionId: FunctionId, version?: number): Promise<VersionRow | undefined>;
  /** Every live version without its texts, for the directory. Unscoped: for the start of the platform. */
  liveVersions(): Promise<{ fn: FunctionRow; version: VersionKey & RunPlan }[]>;

  setPublished(
    accountId: AccountId,
    shortname: string,
    change: { published: boolean; now: number },
  ): Promise<FunctionRow | undefined>;
  removeVersion(accountId: AccountId, functionId: FunctionId, version: number): Promise<void>;
  /** With all versions and builds. */
  removeFunction(accountId: AccountId, functionId: FunctionId): Promise<void>;
}

/** The part of it that knows of builds. */
export interface BuildStore {
  /** One transaction: finds or creates the function, allocates the version, notes the pending build. */
  beginBuild(accountId: AccountId, request: BuildRequestRow): Promise<BeginOutcome>;
  /** Every pending build, each with one more attempt counted. Unscoped: for the start of the platform. */
  resumePending(): Promise<PendingBuild[]>;
  listPending(accountId: AccountId): Promise<PendingBuild[]>;
  build(accountId: AccountId, buildId: string): Promise<BuildRow | undefined>;
  pendingBuild(accountId: AccountId, functionId: FunctionId): Promise<BuildId | undefined>;
  /** Removes a pending build without a trace. */
  abandonBuild(accountId: AccountId, buildId: BuildId): Promise<void>;
  /** Pending → bad build; the version number stays free. Only the `keep` newest of the function are kept. */
  failBuild(
    accountId: AccountId,
    buildId: BuildId,
    failure: { errorDetails: string; keep: number },
  ): Promise<void>;
  /** Pending → live, in one transaction. `undefined` when the build was removed meanwhile: nothing is live. */
  goLive(accountId: AccountId, buildId: BuildId, version: VersionRow): Promise<FunctionRow | undefined>;

  badBuilds(accountId: AccountId): Promise<BuildRow[]>;
  /** `functionGone`: the bad build was all that was left of its function. */
  removeBadBuild(
    accountId: AccountId,
    buildId: string,
  ): Promise<{ shortname: string; functionGone: boolean } | undefined>;
}

export interface FunctionRow {
  readonly id: FunctionId;
  readonly ownerId: AccountId;
  readonly shortname: string;
  readonly published: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface VersionKey {
  readonly version: number;
  /** Makes the deployment ids of this version unique for ever. */
  readonly xid: string;
}

/** What it takes to run a version. */
export interface RunPlan {
  readonly layer: LayerId | null;
  readonly spec: FunctionSpec;
}

export interface VersionRow extends VersionKey, RunPlan {
  readonly releasedAt: number;
  readonly runtimeDetail: string;
  readonly readme: string;
  readonly changelogText: string;
  /** SHA-256 (hex) of the built artifact. */
  readonly digest: string;
}

export interface BuildRequestRow {
  readonly buildId: BuildId;
  /** Taken when the function is new. */
  readonly functionId: FunctionId;
  readonly shortname: string;
  readonly name: string;
  readonly xid: string;
  readonly now: number;
  readonly functionsPerAccountMax: number;
  readonly versionsPerFunctionMax: number;
}

export type BeginOutcome =
  | { readonly outcome: 'begun'; readonly build: PendingBuild; readonly currentVersion: number | null }
  | { readonly outcome: 'taken' | 'in_progress' | 'too_many_functions' | 'too_many_versions' };

export interface PendingBuild extends VersionKey {
  readonly id: BuildId;
  readonly accountId: AccountId;
  readonly functionId: FunctionId;
  readonly shortname: string;
  /** How often a start of the platform has resumed it. */
  readonly attempts: number;
}

export interface BuildRow {
  readonly id: BuildId;
  readonly shortname: string;
  readonly name: string;
  readonly createdAt: number;
  readonly state: 'PENDING' | 'DEPLOYED' | 'FAILED';
  /** Empty unless FAILED. */
  readonly errorDetails: string;
}
