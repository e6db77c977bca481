import type { RequestListener } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { EgressPolicy } from './egress-policy.ts';

/**
 * The port behind which untrusted code runs: builds and function instances alike. One implementation today
 * (bubblewrap); gVisor would be a second one. A jail has its own host uid while it lives, all namespaces, no
 * capabilities, a seccomp filter, a read-only root, an empty network namespace and nothing in its environment
 * but `env`. It is the whole of what the code can see.
 */
export interface Jail {
  /** Starts one jailed process. Rejects with `sandbox.*` errors when the host cannot give the jail. */
  start(spec: JailSpec): Promise<JailedProcess>;
  /** A size-capped directory in RAM that outlives single processes, for the steps of one build. */
  scratch(sizeMib: number): Promise<Scratch>;
  /**
   * A directory of the host as a scratch: it stays after `dispose`, and so do the regular files in it that are called
   * as one of `files`; whatever else lies in it goes, then and at the next `adopt` after a crash of the server. Rejects
   * with `sandbox.bind_missing` when it is no directory and with `sandbox.bind_unreachable` when a jail cannot be let in.
   */
  adopt(directory: string, files: readonly string[]): Promise<Scratch>;
  /** What this host cannot enforce, as stable codes with a sentence each; said at start-up. */
  readonly limitations: readonly Limitation[];
  /** `bubblewrap`, or `none` under `--unsafe-no-sandbox`. */
  readonly kind: 'bubblewrap' | 'none';
  /** Kills every process and removes every directory of this jail. */
  close(): Promise<void>;
}

export interface Limitation {
  /** For example `no-cgroup-memory`. */
  readonly code: string;
  readonly message: string;
}

export interface JailBind {
  /** Links on the way are followed, so never a path that jailed code could have written. */
  readonly source: string;
  readonly target: string;
}

export interface JailLimits {
  /** Memory of all processes and RAM files of the jail together. */
  readonly memoryMib: number;
  /** Processes and threads together. */
  readonly tasks: number;
  /** 100 = one core. */
  readonly cpuPercent: number;
  /** Size of /tmp inside (a RAM file system). */
  readonly tmpMib: number;
  /** Size of any one file; default 2048. */
  readonly fileMib?: number;
}

export interface JailSpec {
  readonly argv: readonly string[];
  /** The complete environment; PATH and HOME are set to sane values when absent. */
  readonly env: Readonly<Record<string, string>>;
  /** Read-only binds of host files or directories, beyond the base system libraries. */
  readonly binds: readonly JailBind[];
  readonly limits: JailLimits;
  /** Opens the egress socket `/run/fn/egress.sock` under this policy; absent means no way out at all. */
  readonly egress?: EgressPolicy;
  /** Answers HTTP on `/run/fn/door.sock`: what this jail may ask of the platform. */
  readonly door?: RequestListener;
  /** Bound writable at `/work`; the process runs under the scratch's uid. */
  readonly scratch?: Scratch;
  readonly cwd?: string;
}

export interface Scratch {
  /** Host path. Only read it while no process of the scratch runs; its content is hostile (links!). */
  readonly path: string;
  readonly uid: number;
  /** Writes files below the scratch, owned by its uid. */
  write(tree: SourceTree, below?: string): Promise<void>;
  /** Only when no process of the scratch runs any more. */
  dispose(): Promise<void>;
}

export type JailExitReason = 'exit' | 'signal' | 'oom' | 'killed';

export interface JailExit {
  /** `killed` when we ended it, `oom` when the kernel did for memory, `signal` for any other signal. */
  readonly reason: JailExitReason;
  readonly code: number | null;
}

export interface JailedProcess {
  readonly uid: number;
  /** Host pid of the outermost process of the jail. */
  readonly pid: number;
  /** A stream socket to file descriptor 3 inside. */
  readonly control: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<JailExit>;
  /** Writes files that appear read-only at `/app` inside; they live in RAM and die with the jail. */
  writeApp(tree: SourceTree): Promise<void>;
  /**
   * Called once, after trusted guest code bound `/run/fn/<name>` (default `http.sock`) and before any untrusted code runs: takes
   * the socket out of the guest's reach (hard link in a private directory, checked to be a socket, directory
   * closed for writing), so that it can never be swapped for a link to a host socket. Returns its host path.
   */
  sealSocket(name?: string): Promise<string>;
  setCpuPercent(percent: number): Promise<void>;
  kill(): Promise<JailExit>;
}
