import type { Principal } from '../accounts/principal.ts';
import type { Actor, LoggedAccess, RestoreId, RestoreRequest } from './backup-store.ts';
import type { Verification } from './verify.ts';

export interface MadeGeneration {
  readonly generation: number;
  readonly at: number;
  readonly files: number;
  readonly bytes: number;
  /** Of files that no generation before had. */
  readonly newBytes: number;
}

export interface ListedGeneration {
  readonly generation: number;
  readonly at: number;
  /** When the clock will have removed it. */
  readonly until: number;
  /** Whether its manifest is in the target; `verify` says more. */
  readonly isPresent: boolean;
}

/** Backups as the owner sees them. Whoever acts is written to the log, and nobody's content is ever read. */
export interface Backups {
  /** Makes a generation now. Throws `backups.*`; then nothing of it counts. */
  make(actor: Actor): Promise<MadeGeneration>;
  /** Oldest first. */
  list(actor: Actor): Promise<ListedGeneration[]>;
  /**
   * The newest when `generation` is undefined. `share` is the part of files that are hashed again, 0 to 1. Throws
   * `generation.not_found`.
   */
  verify(
    actor: Actor,
    question: { readonly generation?: number; readonly share: number },
  ): Promise<Verification>;
  /** Break-glass: nothing happens before a second person approves and the server is started to restore. */
  requestRestore(
    principal: Principal,
    request: { readonly generation: number; readonly reason: string },
  ): Promise<RestoreRequest>;
  /** Throws `backups.same_person` for the API key that asked. */
  approveRestore(principal: Principal, id: RestoreId): Promise<RestoreRequest>;
  /** Newest first. */
  restores(): Promise<RestoreRequest[]>;
  log(): Promise<{ readonly entries: readonly LoggedAccess[]; readonly isIntact: boolean }>;
  /** When the last ciphertext of what is dropped now will be gone. */
  lastCopyUntil(): Promise<number>;
  /** Runs work during which no generation is made, checked or removed. */
  whileNone<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the schedule, and waits for what runs. */
  close(): Promise<void>;
}
