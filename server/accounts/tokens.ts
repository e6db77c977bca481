import { hash } from 'node:crypto';
import { type Clock, type Moment, elapsedMs, momentOf } from '../kernel/clock.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { LruMap } from '../kernel/lru-map.ts';
import type { IssuedToken } from './accounts.ts';
import type { TokenClaims, TokenCodec } from './jfwt.ts';
import type { LiveKey, LiveKeys } from './live-keys.ts';
import type { Holder, KeyPrincipal } from './principal.ts';

/** Longer ones are refused unread; ours have about 350 characters. */
const TOKEN_LENGTH_MAX = 4096;
const CACHED_TOKENS_MAX = 10_000;
/** Clocks are set by a little all the time. */
const CLOCK_TOLERANCE_MS = 60_000;

/** What is remembered of a token that opened once: not the token, not the account key. */
interface SeenToken {
  readonly accountId: AccountId;
  readonly keyId: ApiKeyId;
  readonly epoch: number;
  readonly expiresAt: number;
  /** When it was issued, or seen first. */
  readonly since: Moment;
}

export interface Tokens {
  issue(key: LiveKey, accountKey: Uint8Array): Promise<IssuedToken>;
  readonly verify: (token: string) => Promise<KeyPrincipal | undefined>;
  readonly unlock: (token: string) => Promise<Holder | undefined>;
}

export interface TokensOptions {
  readonly codec: TokenCodec;
  readonly keys: LiveKeys;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}

export function createTokens({ codec, keys, clock, lifetimeMs }: TokensOptions): Tokens {
  const seenTokens = new LruMap<string, SeenToken>(CACHED_TOKENS_MAX);

  /** Asked at every use: expiry, revocation and role count as they are now. */
  function principalOf({ accountId, keyId, epoch, expiresAt, since }: SeenToken): KeyPrincipal | undefined {
    const key = keys.get(keyId);
    if (key === undefined || key.accountId !== accountId || key.epoch !== epoch) return undefined;
    return elapsedMs(clock, since) < expiresAt - since.wallMs ? key.principal : undefined;
  }

  function remember(digest: string, claims: Omit<TokenClaims, 'accountKey'>): SeenToken {
    const { accountId, keyId, epoch, expiresAt } = claims;
    const seen = { accountId, keyId, epoch, expiresAt, since: momentOf(clock) };
    seenTokens.set(digest, seen);
    return seen;
  }

  function admit(digest: string, claims: TokenClaims): KeyPrincipal | undefined {
    const seen = seenTokens.get(digest);
    if (seen !== undefined) return principalOf(seen);
    // What ends later than one issued now was issued while the clock was ahead of this: nobody knows how long ago.
    if (claims.expiresAt > clock.now() + lifetimeMs + CLOCK_TOLERANCE_MS) return undefined;
    return principalOf(remember(digest, claims));
  }

  return {
    async issue({ id, accountId, epoch }, accountKey) {
      const expiresAt = Math.floor((clock.now() + lifetimeMs) / 1000) * 1000;
      const token = await codec.seal({ accountId, keyId: id, epoch, expiresAt, accountKey });
      remember(digestOf(token), { accountId, keyId: id, epoch, expiresAt });
      return { token: new Secret(token), expiresAt };
    },
    async verify(token) {
      if (token.length > TOKEN_LENGTH_MAX) return undefined;
      const digest = digestOf(token);
      const seen = seenTokens.get(digest);
      if (seen !== undefined) return principalOf(seen);
      const claims = await codec.open(token);
      return claims && admit(digest, claims);
    },
    async unlock(token) {
      if (token.length > TOKEN_LENGTH_MAX) return undefined;
      const claims = await codec.open(token);
      if (claims === undefined || admit(digestOf(token), claims) === undefined) return undefined;
      return { accountId: claims.accountId, accountKey: new Secret(claims.accountKey) };
    },
  };
}

const digestOf = (token: string): string => hash('sha256', token, 'base64');
