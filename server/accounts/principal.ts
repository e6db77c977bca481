import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { Secret } from '../kernel/secret.ts';

/** The installation's owner may create accounts; everybody else manages only what is his. */
export type Role = 'owner' | 'member';

/** Who makes a request, as proven by an API key, a JFWT or a session. */
export interface Principal {
  readonly accountId: AccountId;
  /** The API key behind it; none when the identity provider alone vouches for the person. */
  readonly keyId?: ApiKeyId;
  readonly role: Role;
}

/** As proven by an API key, or by a JFWT or session that goes back to one. */
export interface KeyPrincipal extends Principal {
  readonly keyId: ApiKeyId;
}

/**
 * Who makes a request together with the account key that his API key or JFWT carried, or that his session was unlocked
 * with: it opens what he sealed (D5).
 */
export interface Holder {
  readonly accountId: AccountId;
  readonly accountKey: Secret<Uint8Array>;
}
