import { hash, randomBytes } from 'node:crypto';
import type { Accounts } from '../accounts/accounts.ts';
import type { Holder, KeyPrincipal, Principal, Role } from '../accounts/principal.ts';
import { type Clock, type Moment, elapsedMs, momentOf } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import { Secret } from '../kernel/secret.ts';

/** Somebody with an API key, and what it opens. */
export interface KeyHolder {
  readonly principal: KeyPrincipal;
  readonly holder: Holder;
}

/** How a session comes to be. */
export interface SignedIn {
  readonly accountId: AccountId;
  /** Asked at every use, because the provider may take a role back. */
  readonly role: () => Role;
  /** When the person last proved who he is, in epoch milliseconds. */
  readonly provedAt: number;
  /** With a key alone, the session ends when the key is revoked; otherwise it is locked again. */
  readonly by: 'key' | 'provider';
  readonly key?: KeyHolder;
  /** Of an account that has just been made; shown once. */
  readonly firstApiKey?: Secret;
}

/** Somebody who is signed in to the portal. */
export interface Session {
  readonly accountId: AccountId;
  readonly expiresAt: number;
  readonly by: SignedIn['by'];
  principal(): Principal;
  /** What the account has sealed opens with it; undefined while the session is locked. */
  holder(): Holder | undefined;
  /** Whether the person proved who he is within the last five minutes. */
  isFresh(): boolean;
  /** Opens what the account has sealed; counts as a proof of who it is. The key must be one of the same account. */
  unlock(key: KeyHolder): void;
  renew(provedAt: number): void;
  /** The first key of a new account, once. */
  takeFirstApiKey(): Secret | undefined;
  /** Forgets the session and overwrites the account key. */
  end(): void;
}

export interface Begun {
  /** What the browser keeps. */
  readonly cookie: Secret;
  readonly session: Session;
}

/** Who is signed in: in RAM alone, so a restart signs everybody out. */
export interface Sessions {
  /** The oldest session of an account that has too many ends. */
  begin(signedIn: SignedIn): Begun;
  find(cookie: string): Session | undefined;
  endAccount(accountId: AccountId): void;
  close(): void;
}

export interface SessionsOptions {
  readonly accounts: Pick<Accounts, 'isLiveKey'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

export const SESSION_MS = 12 * 60 * 60 * 1000;
const FRESH_MS = 5 * 60 * 1000;
const SESSIONS_MAX = 20_000;
const PER_ACCOUNT_MAX = 50;

export function createSessions({ accounts, clock, scheduler }: SessionsOptions): Sessions {
  /** By SHA-256 of the cookie, which nobody can choose: looking it up needs no constant time. Oldest first. */
  const sessions = new Map<string, LiveSession>();

  function ofAccount(accountId: AccountId): LiveSession[] {
    return [...sessions.values()].filter((session) => session.accountId === accountId);
  }

  function makeRoom(accountId: AccountId): void {
    const own = ofAccount(accountId);
    if (own.length >= PER_ACCOUNT_MAX) own[0]?.end();
    else if (sessions.size >= SESSIONS_MAX) throw fullHouse();
  }

  return {
    begin(signedIn) {
      makeRoom(signedIn.accountId);
      const cookie = randomBytes(32).toString('base64url');
      const digest = hash('sha256', cookie, 'base64');
      const timer = scheduler.after(SESSION_MS, () => session.end());
      const session = new LiveSession(signedIn, { clock, timer, forget: () => void sessions.delete(digest) });
      sessions.set(digest, session);
      return { cookie: new Secret(cookie), session };
    },
    find(cookie) {
      const session = sessions.get(hash('sha256', cookie, 'base64'));
      return session?.survives(accounts.isLiveKey) ? session : undefined;
    },
    endAccount: (accountId) => ofAccount(accountId).forEach((session) => session.end()),
    close: () => sessions.forEach((session) => session.end()),
  };
}

interface Surroundings {
  readonly clock: Clock;
  readonly timer: Timer;
  readonly forget: () => void;
}

interface Opened {
  readonly keyId: ApiKeyId;
  readonly accountKey: Uint8Array;
}

class LiveSession implements Session {
  readonly accountId: AccountId;
  readonly expiresAt: number;
  readonly by: SignedIn['by'];
  readonly #role: () => Role;
  readonly #surroundings: Surroundings;
  readonly #begun: Moment;
  #proved: Moment;
  #opened: Opened | undefined;
  #firstApiKey: Secret | undefined;

  constructor({ accountId, role, provedAt, by, key, firstApiKey }: SignedIn, surroundings: Surroundings) {
    this.accountId = accountId;
    this.#begun = momentOf(surroundings.clock);
    this.expiresAt = this.#begun.wallMs + SESSION_MS;
    this.#role = role;
    this.by = by;
    this.#surroundings = surroundings;
    this.#proved = this.#momentOfProof(provedAt);
    if (key !== undefined) this.#open(key);
    this.#firstApiKey = firstApiKey;
  }

  principal(): Principal {
    const keyId = this.#opened?.keyId;
    return { accountId: this.accountId, role: this.#role(), ...(keyId !== undefined && { keyId }) };
  }

  holder(): Holder | undefined {
    if (this.#opened === undefined) return undefined;
    // A copy: whoever works with it goes on undisturbed when the session ends.
    return { accountId: this.accountId, accountKey: new Secret(Uint8Array.from(this.#opened.accountKey)) };
  }

  isFresh(): boolean {
    return elapsedMs(this.#surroundings.clock, this.#proved) < FRESH_MS;
  }

  unlock(key: KeyHolder): void {
    this.#lock();
    this.#open(key);
    this.renew(this.#surroundings.clock.now());
  }

  renew(provedAt: number): void {
    const proved = this.#momentOfProof(provedAt);
    if (proved.steadyMs > this.#proved.steadyMs) this.#proved = proved;
  }

  takeFirstApiKey(): Secret | undefined {
    const firstApiKey = this.#firstApiKey;
    this.#firstApiKey = undefined;
    return firstApiKey;
  }

  end(): void {
    this.#surroundings.timer.close();
    this.#surroundings.forget();
    this.#lock();
    this.#firstApiKey = undefined;
  }

  /** Draws the consequences of time and of a revoked API key; false when the session is over. */
  survives(isLive: (keyId: ApiKeyId) => boolean): boolean {
    if (elapsedMs(this.#surroundings.clock, this.#begun) >= SESSION_MS) {
      this.end();
      return false;
    }
    if (this.#opened === undefined || isLive(this.#opened.keyId)) return true;
    if (this.by === 'provider') this.#lock();
    else this.end();
    return this.by === 'provider';
  }

  /** What was proved before now, by the clock that cannot jump, too. */
  #momentOfProof(wallMs: number): Moment {
    const now = momentOf(this.#surroundings.clock);
    return { wallMs, steadyMs: now.steadyMs - Math.max(0, now.wallMs - wallMs) };
  }

  #open({ principal, holder }: KeyHolder): void {
    this.#opened = { keyId: principal.keyId, accountKey: Uint8Array.from(holder.accountKey.reveal()) };
  }

  #lock(): void {
    this.#opened?.accountKey.fill(0);
    this.#opened = undefined;
  }
}

function fullHouse(): PlatformError {
  return new PlatformError({
    kind: 'resource_exhausted',
    code: 'session.too_many',
    message: 'Too many people are signed in at once. Try again later.',
    retryAfterSeconds: 60,
  });
}
