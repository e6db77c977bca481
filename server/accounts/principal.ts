import type { AccountId, ApiKeyId } from '../kernel/ids.ts';

/** The installation's owner may create accounts; everybody else manages only what is his. */
export type Role = 'owner' | 'member';

/** Who makes a request, as proven by an API key or a JFWT. */
export interface Principal {
  readonly accountId: AccountId;
  readonly keyId: ApiKeyId;
  readonly role: Role;
}
