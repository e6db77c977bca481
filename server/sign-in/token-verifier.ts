import {
  type JWSHeaderParameters,
  type JWTPayload,
  type JWTVerifyGetKey,
  type createLocalJWKSet,
  errors,
  jwtVerify,
} from 'jose';
import type { Clock } from '../kernel/clock.ts';
import type { Kept } from './kept.ts';
import type { ProviderSettings } from './provider-settings.ts';

export type KeySet = ReturnType<typeof createLocalJWKSet>;

export interface Expected {
  /** Undefined only for what comes without a browser in between. */
  readonly nonce?: string | undefined;
  /** The person has to have proved who he is since, in epoch milliseconds. */
  readonly provedSince?: number | undefined;
}

/** Decides what a token is worth. Rejects for whatever is not exactly what was expected; errors say nothing of it. */
export interface TokenVerifier {
  idToken(token: string, issuer: string, expected: Expected): Promise<JWTPayload>;
  /** A token of this provider for `audience`; without one, for whomever. */
  accessToken(token: string, issuer: string, audience?: string): Promise<JWTPayload>;
}

export interface TokenVerifierOptions {
  readonly settings: Pick<ProviderSettings, 'clientId' | 'preset'>;
  readonly keys: Kept<KeySet>;
  readonly clock: Clock;
}

/** Signatures by keys that only the provider has. Never `none`, and never HMAC, whose key would be a public one. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
const CLOCK_SKEW_SECONDS = 30;
/** An ID token is fetched the moment after it was made. */
const ID_TOKEN_SECONDS_MAX = 600;

export function createTokenVerifier({ settings, keys, clock }: TokenVerifierOptions): TokenVerifier {
  const { clientId, preset } = settings;
  const findKey = createKeyFinder(keys);
  const common = () => ({
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_SKEW_SECONDS,
    currentDate: new Date(clock.now()),
  });

  return {
    async idToken(token, issuer, { nonce, provedSince }) {
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        ...common(),
        issuer,
        // Kinde names itself as the audience; then the authorized party has to be us.
        audience: preset === 'kinde' ? [clientId, issuer] : clientId,
        maxTokenAge: ID_TOKEN_SECONDS_MAX,
        requiredClaims: ['sub', 'exp', 'iat'],
      });
      checkType(protectedHeader, ['jwt']);
      checkParty(payload, clientId);
      if (nonce !== undefined && payload['nonce'] !== nonce) throw new Error('the nonce is another');
      if (provedSince !== undefined) checkProvedSince(payload, provedSince);
      return payload;
    },
    async accessToken(token, issuer, audience) {
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        ...common(),
        issuer,
        ...(audience !== undefined && { audience }),
        requiredClaims: ['exp'],
      });
      checkType(protectedHeader, ['jwt', 'at+jwt', 'application/at+jwt']);
      return payload;
    },
  };
}

/** By the key's name in the token's header, from the provider's published set and nowhere else. */
function createKeyFinder(keys: Kept<KeySet>): JWTVerifyGetKey {
  return async (header, token) => {
    const known = await keys.get();
    try {
      return await known(header, token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
      // The provider may have changed its keys since.
      const renewed = await keys.renew();
      return await renewed(header, token);
    }
  };
}

function checkType({ typ }: JWSHeaderParameters, allowed: readonly string[]): void {
  if (typ !== undefined && !allowed.includes(typ.toLowerCase())) throw new Error('a token of another type');
}

function checkParty({ aud, azp }: JWTPayload, clientId: string): void {
  const audiences = [aud].flat();
  const isForUsAlone = audiences.length === 1 && audiences[0] === clientId;
  if (azp === undefined ? !isForUsAlone : azp !== clientId) throw new Error('a token of another party');
}

function checkProvedSince({ auth_time: provedAt }: JWTPayload, since: number): void {
  if (typeof provedAt === 'number' && (provedAt + CLOCK_SKEW_SECONDS) * 1000 >= since) return;
  throw new Error('the provider did not ask again');
}
