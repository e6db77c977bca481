import type { Deployment, DeploymentDirectory } from '../calls/deployment.ts';
import type { CallStatistics } from '../calls/call-record.ts';
import type { Principal } from '../accounts/principal.ts';
import type { AccountId, BuildId, FunctionId } from '../kernel/ids.ts';
import type { Copier } from '../rights/copier.ts';
import type { FunctionSpec } from './spec.ts';
import type { Changelog } from './changelog.ts';

/** Times are epoch milliseconds throughout; the gateway renders the wire forms. */
export interface LibraryFunction {
  readonly id: FunctionId;
  readonly shortname: string;
  readonly name: string;
  readonly description: string;
  readonly ownerName: string;
  readonly mine: boolean;
  readonly active: boolean;
  readonly published: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly string[];
  readonly ai: boolean;
  /** Newest first; at least one. */
  readonly versions: readonly FunctionVersion[];
}

export interface FunctionVersion {
  readonly version: number;
  readonly releasedAt: number;
  readonly spec: FunctionSpec;
  /** For example `CPython 3.11.2`. */
  readonly runtimeDetail: string;
  readonly readme: string;
  readonly changelogText: string;
  readonly changelog: Changelog | null;
  readonly deployments: readonly Deployment[];
  readonly statistics: CallStatistics;
}

export interface BadBuild {
  readonly id: BuildId;
  readonly shortname: string;
  readonly name: string;
  readonly createdAt: number;
  /** The tool's own words, bounded to 8 KiB. */
  readonly errorDetails: string;
}

export interface StartedDeploy {
  readonly shortname: string;
  readonly isNew: boolean;
  readonly currentVersion: number | null;
  readonly deployingVersion: number;
  readonly runtimeDetail: string;
  /** One per size. `deploymentId` becomes callable once the build's status is DEPLOYED. */
  readonly operations: readonly { size: string; buildId: BuildId; deploymentId: string }[];
}

export type BuildStatus = 'QUEUED' | 'BUILDING' | 'STARTING' | 'DEPLOYED' | 'FAILED';

export type BuildEvent =
  | { readonly type: 'status'; readonly status: BuildStatus }
  /** A line of the build tool; lives in RAM only. */
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'failed'; readonly errorDetails: string };

/** The control plane of functions: upload, build, version, publish, find, delete. */
export interface Functions {
  /**
   * Checks archive and spec, stores the upload encrypted, queues the build and returns. `conflict` while a build
   * of the same function runs; `permission_denied`-as-`conflict` (`functions.shortname_taken`) for another
   * account's shortname.
   */
  deploy(principal: Principal, zip: Uint8Array): Promise<StartedDeploy>;
  buildStatus(principal: Principal, buildId: string): Promise<BuildStatus>;
  /** Replays the build's events so far and follows it to its end; ends at once for a finished build. */
  watchBuild(principal: Principal, buildId: string, signal: AbortSignal): AsyncIterable<BuildEvent>;
  badBuilds(principal: Principal): Promise<BadBuild[]>;
  /** Returns the shortnames of functions that vanished with it (a function whose only build was bad). */
  cleanBadBuild(principal: Principal, buildId: string): Promise<{ buildId: string; functions: string[] }>;

  /** Own functions and published ones. */
  library(principal: Principal): Promise<LibraryFunction[]>;
  get(principal: Principal, shortname: string): Promise<LibraryFunction>;
  /** Global: shortnames are unique in an installation. Names are normalised as at deploy. */
  exists(shortname: string): Promise<boolean>;
  setPublished(principal: Principal, shortname: string, published: boolean): Promise<LibraryFunction>;
  /** Deletes one version or, without `version`, the function: keys destroyed, files gone, instances ended. */
  delete(principal: Principal, shortname: string, version?: number): Promise<void>;
  /** Stops builds of an account that wait or run; they stay to be done. */
  pauseBuilds(accountId: AccountId): Promise<void>;
  /** Goes on with builds that were stopped. */
  resumeBuilds(accountId: AccountId): Promise<void>;
  /** Seals code and uploads of an account anew under other keys, while they are in use; how many. */
  rotateKeys(accountId: AccountId): Promise<number>;
  /** Deletes all functions of an account, builds that wait or run included. */
  erase(accountId: AccountId): Promise<void>;
  /** The newest version of every own and published function, by shortname: what `lookup` answers, for all. */
  catalogue(principal: Principal): Promise<{ deployment: Deployment; spec: FunctionSpec }[]>;
  /** The newest (or given) version of a visible function, for the SDKs' lookup. */
  lookup(
    principal: Principal,
    shortname: string,
    version?: number,
  ): Promise<{ deployment: Deployment; spec: FunctionSpec }>;

  readonly copier: Copier;
  readonly directory: DeploymentDirectory;
  /** Loads the directory, resumes builds that a crash interrupted; called once before the server listens. */
  recover(): Promise<{ resumed: number }>;
  close(): Promise<void>;
}
