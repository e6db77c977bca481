import type { JailCgroup } from './cgroups.ts';
import type { Jail, JailBind, JailLimits } from './jail.ts';
import type { LaunchedProcess } from './launcher.ts';

/** How processes are locked in. The rest (files, sockets, egress, life and death) is the same for all kinds. */
export interface Confinement {
  readonly kind: Jail['kind'];
  readonly limitations: Jail['limitations'];
  takeUid(): { readonly uid: number; readonly release: () => void };
  createCgroup(name: string, limits: JailLimits): Promise<JailCgroup>;
  launch(request: LaunchRequest): Promise<LaunchedProcess>;
  close(): Promise<void>;
}

export interface LaunchRequest {
  readonly uid: number;
  readonly limits: JailLimits;
  readonly procsFiles: readonly string[];
  readonly view: JailView;
  readonly argv: readonly string[];
}

/** What one jail sees; sources are host paths that the jail's uid can reach. */
export interface JailView {
  readonly binds: readonly JailBind[];
  readonly app: string;
  /** Host directory behind `/run/fn`; absent when the jail has no sockets at all. */
  readonly sockets?: { readonly path: string; readonly writable: boolean };
  readonly work?: string;
  readonly tmpMib: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}
