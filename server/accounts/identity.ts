import { createHmac } from 'node:crypto';
import type { AccountStore } from './account-store.ts';
import type { Account, Identity } from './accounts.ts';

/** What is stored of an identity: whoever has the store but not the pepper cannot tell whose account it is. */
export function createIdentityHash(pepper: Uint8Array): (identity: Identity) => Uint8Array {
  return ({ issuer, subject }) =>
    createHmac('sha256', pepper)
      .update(JSON.stringify([issuer, subject]))
      .digest();
}

/** Nobody has an address without a domain; the owner's, until he gives his own, is such a one. */
const OF_SOMEBODY = /@[^@]+\.[^@]+$/;

export async function linkIdentity(
  store: AccountStore,
  identity: Uint8Array,
  email: string,
): Promise<Account | undefined> {
  if (!OF_SOMEBODY.test(email)) return undefined;
  const account = await store.findAccountByEmail(email);
  if (account === undefined) return undefined;
  return (await store.insertIdentity(account.id, identity)) ? account : undefined;
}
