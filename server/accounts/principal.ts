import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { Secret } from '../kernel/secret.ts';

/** The installation's owner may create accounts; everybody else manages only what is his. */
export type Role = 'owner' | 'member';

/** Who makes a request, as proven by an API key or a JFWT. */
export interface Principal {
  readonly accountId: AccountId;
  readonly keyId: ApiKeyId;
  readonly role: Role;
}

/** Who makes a request together with the account key that his API key or JFWT carried: it opens what he sealed (D5). */
export interface Holder {
  readonly accountId: AccountId;
  readonly accountKey: Secret<Uint8Array>;
}
