import { hash } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { LruMap } from '../kernel/lru-map.ts';
import type { IssuedToken } from './accounts.ts';
import type { TokenCodec } from './jfwt.ts';
import type { LiveKey, LiveKeys } from './live-keys.ts';
import type { Holder, KeyPrincipal } from './principal.ts';

/** Longer ones are refused unread; ours have about 350 characters. */
const TOKEN_LENGTH_MAX = 4096;
const CACHED_TOKENS_MAX = 10_000;

/** What is remembered of a token that opened once: not the token, not the account key. */
interface SeenToken {
  readonly accountId: AccountId;
  readonly keyId: ApiKeyId;
  readonly epoch: number;
  readonly expiresAt: number;
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
  function principalOf({ accountId, keyId, epoch, expiresAt }: SeenToken): KeyPrincipal | undefined {
    const key = keys.get(keyId);
    if (key === undefined || key.accountId !== accountId || key.epoch !== epoch) return undefined;
    return clock.now() < expiresAt ? key.principal : undefined;
  }

  return {
    async issue({ id, accountId, epoch }, accountKey) {
      const expiresAt = Math.floor((clock.now() + lifetimeMs) / 1000) * 1000;
      const token = await codec.seal({ accountId, keyId: id, epoch, expiresAt, accountKey });
      return { token: new Secret(token), expiresAt };
    },
    async verify(token) {
      if (token.length > TOKEN_LENGTH_MAX) return undefined;
      const digest = hash('sha256', token, 'base64');
      const seen = seenTokens.get(digest);
      if (seen !== undefined) return principalOf(seen);
      const claims = await codec.open(token);
      if (claims === undefined) return undefined;
      const { accountId, keyId, epoch, expiresAt } = claims;
      const principal = principalOf(claims);
      if (principal !== undefined) seenTokens.set(digest, { accountId, keyId, epoch, expiresAt });
      return principal;
    },
    async unlock(token) {
      if (token.length > TOKEN_LENGTH_MAX) return undefined;
      const claims = await codec.open(token);
      if (claims === undefined || principalOf(claims) === undefined) return undefined;
      return { accountId: claims.accountId, accountKey: new Secret(claims.accountKey) };
    },
  };
}
