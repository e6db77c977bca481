import type { RequestListener } from 'node:http';
import type { AccountId, LayerId } from '../kernel/ids.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { EgressPolicy } from '../sandbox/egress-policy.ts';
import type { JailBind } from '../sandbox/jail.ts';

/** Runtime ids that `jellyspec.json` may name, and what on this machine serves each. */
export type RuntimeId = 'nodejs20' | 'nodejs22' | 'nodejs24' | 'python312' | 'go122' | 'java21';

/** The platform's own desks, which answer what is sealed to it: questions to models, and all of vector databases. */
export type DeskRuntime = 'questions' | 'vectors';

/** What runs in a worker: a function's runtime, or a desk. */
export type WorkerRuntime = RuntimeId | DeskRuntime;

export interface RuntimeStatus {
  readonly id: RuntimeId;
  readonly available: boolean;
  /** What runs it, for example `CPython 3.11.2`; with `available: false` what to install. */
  readonly detail: string;
}

/**
 * A language knows how to turn an uploaded tree into a built function, and how to start a worker for it.
 * A build has two steps in the jail: dependencies (network to the configured registries, yields a read-only
 * layer addressed by its content and shared by everyone whose tree is identical) and compilation (no network).
 */
export interface Language {
  readonly runtimes: readonly RuntimeStatus[];
  build(request: BuildRequest): Promise<BuiltFunction>;
  /** How to start a worker that has `layer` mounted; the function's code comes later, with the claim. */
  worker(request: WorkerRequest): Promise<WorkerPlan>;
}

export interface BuildRequest {
  /** Dependency look-ups are cached per account: nobody can poison another one's builds. */
  readonly accountId: AccountId;
  readonly runtime: RuntimeId;
  /** The uploaded files below the zip's root folder, `.jellyfaasignore` applied. */
  readonly source: SourceTree;
  readonly entrypoint: string;
  readonly signal: AbortSignal;
  /** One line of tool output, shown live to the uploader and kept nowhere. */
  readonly onProgress: (line: string) => void;
}

export interface BuiltFunction {
  /** What appears at `/app`. */
  readonly code: SourceTree;
  readonly layer: LayerId | null;
  /** For example `Node 22.23.3`; shown as the version's `runtimeDetail`. */
  readonly runtimeDetail: string;
}

export interface WorkerRequest<Runtime = RuntimeId> {
  readonly runtime: Runtime;
  readonly layer: LayerId | null;
  /** What the jail will allow, for runtimes that have to know it: a JVM's heap is set at its start. */
  readonly memoryMib: number;
  /** Asks for an agent that opens sealed calls before the worker. */
  readonly isSealed: boolean;
}

/** How workers of every kind are started. */
export interface Workers {
  worker(request: WorkerRequest<WorkerRuntime>): Promise<WorkerPlan>;
}

/** A failed build: `message` is the tool's own words, bounded, shown to the uploader as the bad build. */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure';
}

/**
 * The worker speaks the guest protocol on fd 3, one JSON object a line:
 * guest `{"t":"up"}` after binding /run/fn/http.sock and before any user code;
 * host  `{"t":"claim","entrypoint":"Example","egress":true}` after /app is filled;
 * guest `{"t":"ready"}` or `{"t":"failed","message":"…"}`; from then on HTTP/1.1 on the socket.
 */
export interface WorkerPlan {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly binds: readonly JailBind[];
  /** Whether booting ahead of a claim saves time (interpreters: yes; a Go binary is the claim: no). */
  readonly preboot: boolean;
  /** Requests that one instance takes at a time. */
  readonly concurrency: number;
  /** Least memory with which the runtime starts at all. */
  readonly memoryMibMin: number;
  /** Least processor time, 100 a core, where the deployment's size gives less. */
  readonly cpuPercentMin?: number;
  /** Where the worker may connect, if that is not what its deployment declares. */
  readonly egress?: EgressPolicy;
  /** What the platform answers the worker itself. */
  readonly door?: RequestListener;
  /** The agent that was asked for: it shares the worker's jail, and has a socket of its own for sealed calls. */
  readonly agent?: AgentPlan;
}

/** What the agent takes beyond what the function's size gives. */
export interface AgentPlan {
  readonly memoryMib: number;
  readonly tasks: number;
  /** In `/run/fn`. */
  readonly socketName: string;
}
