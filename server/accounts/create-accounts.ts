import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { notFound, PlatformError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { AccountStore, StoredApiKey } from './account-store.ts';
import type { Account, Accounts, ApiKeyInfo } from './accounts.ts';
import { isAcceptableKey, newApiKey } from './api-key.ts';
import { createTokenCodec } from './jfwt.ts';
import { LiveKeys, unwrapAccountKey, wrapAccountKey } from './live-keys.ts';
import type { LiveKey } from './live-keys.ts';
import { validPerson } from './person.ts';
import type { Person } from './person.ts';
import type { Holder, Principal, Role } from './principal.ts';
import { createIdentityHash, linkIdentity } from './identity.ts';
import type { Restriction } from '../rights/restriction.ts';
import { createTokens } from './tokens.ts';

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  /** Whom the owner does not see. */
  readonly restriction?: Pick<Restriction, 'isRestricted'>;
  /** At most 24 h, which is also the default. */
  readonly tokenLifetimeMs?: number;
}

const TOKEN_LIFETIME_MS_MAX = 24 * 60 * 60 * 1000;
const KEYS_PER_ACCOUNT_MAX = 50;
/** Who the owner is until he says so; the platform asks nothing at its first start. */
const FIRST_OWNER: Person = { name: 'Owner', email: 'owner@localhost' };

/** Loads all API keys into memory. The process must be the only one that writes to `store`. */
export async function createAccounts({
  store,
  keyRing,
  clock,
  restriction,
  tokenLifetimeMs = TOKEN_LIFETIME_MS_MAX,
}: AccountsOptions): Promise<Accounts> {
  const keys = new LiveKeys(await keyRing.obtain('accounts/pepper', 'root'));
  const identityOf = createIdentityHash(await keyRing.obtain('accounts/identity-pepper', 'root'));
  const tokens = createTokens({
    codec: await createTokenCodec(await keyRing.obtain('accounts/jfwt', 'root')),
    keys,
    clock,
    lifetimeMs: Math.min(tokenLifetimeMs, TOKEN_LIFETIME_MS_MAX),
  });
  const context = { store, keys, clock };
  await loadKeys(context);
  return {
    bootstrap: async (preset) => await bootstrap(context, preset),
    authenticateKey: async (presented) => keys.authenticate(presented)?.principal,
    async issueToken(presented) {
      const key = keys.authenticate(presented);
      return key && (await tokens.issue(key, accountKeyOf(presented, key)));
    },
    async issueTokenFor(keyId, holder) {
      const key = keys.get(keyId);
      if (key === undefined || key.accountId !== holder.accountId) return undefined;
      return await tokens.issue(key, holder.accountKey.reveal());
    },
    verifyToken: tokens.verify,
    async unlock(presented) {
      const key = keys.authenticate(presented);
      if (key === undefined) return await tokens.unlock(presented);
      return { accountId: key.accountId, accountKey: new Secret(accountKeyOf(presented, key)) };
    },
    endAccess: (accountId) => keys.ofAccount(accountId).forEach((key) => keys.remove(key)),
    isLiveKey: (keyId) => keys.get(keyId) !== undefined,

    findByIdentity: (identity) => store.findAccountByIdentity(identityOf(identity)),
    linkIdentity: (identity, email) => linkIdentity(store, identityOf(identity), email),
    signUp: (identity, person) =>
      createAccount(context, {
        ...person,
        role: 'member',
        apiKey: newApiKey(),
        identity: identityOf(identity),
      }),

    async get(accountId) {
      const account = await store.findAccount(accountId);
      if (account === undefined) throw notFound('account');
      return account;
    },
    async update({ accountId }, person) {
      const account = await store.updatePerson(accountId, validPerson(person), clock.now());
      if (account === undefined) throw notFound('account');
      return account;
    },
    async list(principal) {
      ownerOnly(principal);
      const all = await store.listAccounts();
      return all.filter(({ id }) => id === principal.accountId || restriction?.isRestricted(id) !== true);
    },
    async create(principal, person) {
      ownerOnly(principal);
      return await createAccount(context, { ...person, role: 'member', apiKey: newApiKey() });
    },

    listKeys: async ({ accountId }) => keys.ofAccount(accountId).map(infoOf),
    createKey: async (holder) => await createKey(context, holder),
    revokeKey: async (principal, keyId) => await revokeKey(context, principal, keyId),
  };
}

interface Context {
  readonly store: AccountStore;
  readonly keys: LiveKeys;
  readonly clock: Clock;
}

async function loadKeys({ store, keys }: Context): Promise<void> {
  const roles = new Map((await store.listAccounts()).map(({ id, role }) => [id, role]));
  for (const key of await store.listKeys()) {
    const role = roles.get(key.accountId);
    if (role !== undefined) keys.add(key, role);
  }
}

async function bootstrap(context: Context, preset: Secret | undefined): Promise<Secret | undefined> {
  if ((await context.store.listAccounts()).some(({ role }) => role === 'owner')) return undefined;
  if (preset !== undefined && !isAcceptableKey(preset.reveal())) {
    throw new PlatformError({
      kind: 'invalid_argument',
      code: 'accounts.bad_bootstrap_key',
      message:
        'The bootstrap API key must be "sk_" followed by 12 to 125 printable ASCII characters without spaces. ' +
        'Leave it out to have one made.',
    });
  }
  const apiKey = preset ?? newApiKey();
  await createAccount(context, { ...FIRST_OWNER, role: 'owner', apiKey });
  return apiKey;
}

async function createAccount(
  { store, keys, clock }: Context,
  { apiKey, role, identity, ...given }: Person & { role: Role; apiKey: Secret; identity?: Uint8Array },
): Promise<{ account: Account; apiKey: Secret }> {
  const now = clock.now();
  const account: Account = {
    id: newId<AccountId>('acct'),
    ...validPerson(given),
    role,
    createdAt: now,
    updatedAt: now,
  };
  const accountKey = randomBytes(32);
  const firstKey = storedKey(keys, { accountId: account.id, apiKey, accountKey, createdAt: now });
  accountKey.fill(0);
  await store.insertAccount(account, firstKey, identity);
  keys.add(firstKey, role);
  return { account, apiKey };
}

async function createKey(
  { store, keys, clock }: Context,
  { accountId, accountKey }: Holder,
): Promise<{ info: ApiKeyInfo; apiKey: Secret }> {
  const account = await store.findAccount(accountId);
  if (account === undefined) throw notFound('account');
  if (keys.ofAccount(accountId).length >= KEYS_PER_ACCOUNT_MAX) {
    throw new PlatformError({
      kind: 'resource_exhausted',
      code: 'accounts.too_many_keys',
      message: `An account can have ${KEYS_PER_ACCOUNT_MAX} API keys. Revoke one that you no longer use.`,
    });
  }
  const apiKey = newApiKey();
  const key = storedKey(keys, {
    accountId,
    apiKey,
    accountKey: accountKey.reveal(),
    createdAt: clock.now(),
  });
  await store.insertKey(key);
  keys.add(key, account.role);
  return { info: infoOf(key), apiKey };
}

async function revokeKey({ store, keys }: Context, { accountId }: Principal, keyId: ApiKeyId): Promise<void> {
  const key = keys.get(keyId);
  if (key === undefined || key.accountId !== accountId) throw notFound('API key');
  if (keys.ofAccount(accountId).length === 1) {
    throw new PlatformError({
      kind: 'failed_precondition',
      code: 'accounts.last_key',
      message:
        'This is the last API key of the account, and only it can open what the account has sealed. ' +
        'Make another one first, then revoke this one.',
    });
  }
  // Memory first: from here on the key and its tokens are dead, before anything is awaited.
  keys.remove(key);
  try {
    await store.removeKey(keyId);
  } catch (thrown) {
    keys.add(key, key.principal.role);
    throw thrown;
  }
}

function storedKey(
  keys: LiveKeys,
  {
    accountId,
    apiKey,
    accountKey,
    createdAt,
  }: { accountId: AccountId; apiKey: Secret; accountKey: Uint8Array; createdAt: number },
): StoredApiKey {
  const id = newId<ApiKeyId>('key');
  return {
    id,
    accountId,
    createdAt,
    epoch: 1,
    hmac: keys.hmacOf(apiKey.reveal()),
    wrappedAccountKey: wrapAccountKey(apiKey.reveal(), accountKey, { accountId, id }),
  };
}

function accountKeyOf(presented: string, key: LiveKey): Uint8Array {
  const accountKey = unwrapAccountKey(presented, key);
  if (accountKey !== undefined) return accountKey;
  throw new PlatformError({
    kind: 'internal',
    code: 'accounts.unreadable_account_key',
    message:
      'The account key does not open under this API key. The account store was damaged; restore a backup.',
  });
}

function infoOf({ id, createdAt }: StoredApiKey): ApiKeyInfo {
  return { id, createdAt };
}

function ownerOnly({ role }: Principal): void {
  if (role === 'owner') return;
  throw new PlatformError({
    kind: 'permission_denied',
    code: 'accounts.owner_only',
    message: 'Only the owner of this installation may see and create accounts.',
  });
}
