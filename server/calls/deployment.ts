import type { AccountId, DeploymentId, FunctionId, LayerId } from '../kernel/ids.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { WorkerRuntime } from '../languages/language.ts';

/** Size codes of the public protocol; only `s` is deployed unless jellyspec asks for more. */
export type SizeCode = 's' | 'm' | 'l';

export const SIZES: Readonly<
  Record<SizeCode, { memoryMib: number; cpuPercent: number; tasks: number; tmpMib: number }>
> = {
  s: { memoryMib: 256, cpuPercent: 100, tasks: 96, tmpMib: 64 },
  m: { memoryMib: 512, cpuPercent: 100, tasks: 128, tmpMib: 128 },
  l: { memoryMib: 1024, cpuPercent: 200, tasks: 256, tmpMib: 256 },
};

/** What the data plane needs to know of one callable (version, size). */
export interface Deployment {
  readonly id: DeploymentId;
  readonly functionId: FunctionId;
  readonly ownerId: AccountId;
  readonly shortname: string;
  readonly version: number;
  readonly size: SizeCode;
  readonly runtime: WorkerRuntime;
  readonly layer: LayerId | null;
  readonly entrypoint: string;
  /** Callable by accounts other than the owner. */
  readonly published: boolean;
  /** Hosts the code may reach; empty = no network (the default). */
  readonly egress: readonly string[];
  readonly timeoutMs: number;
  /** Origins that browsers may call from; empty = the gateway adds no CORS header and answers no preflight. */
  readonly corsOrigins: readonly string[];
}

/** The owner calls what is his; everybody calls what is published. */
export function mayCall(accountId: AccountId, { ownerId, published }: Deployment): boolean {
  return published || ownerId === accountId;
}

/** Read side of the control plane; answers from memory, so a call never waits on a store. */
export interface DeploymentDirectory {
  find(id: string): Deployment | undefined;
  /** The most recently released, newest first: what is likely to be called after a start. */
  recent(count: number): Deployment[];
  /** Decrypts the built code into memory. */
  loadCode(deployment: Deployment): Promise<SourceTree>;
  /** Called for every deployment that stops being callable, so that its instances end. */
  onRetired(listener: (id: DeploymentId) => void): void;
  /** Called when what somebody may call has changed: a version came or went, a function was published or withdrawn. */
  onChanged(listener: (change: LibraryChange) => void): void;
}

/** Whom a change concerns: the owner alone, or everybody. */
export interface LibraryChange {
  readonly ownerId: AccountId;
  readonly isPublic: boolean;
}
