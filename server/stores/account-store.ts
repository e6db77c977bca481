import { type Kysely, type Selectable, sql } from 'kysely';
import type { AccountStore, StoredApiKey } from '../accounts/account-store.ts';
import type { Account } from '../accounts/accounts.ts';
import type { Role } from '../accounts/principal.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { AccountChoices } from '../models/account-choices.ts';
import { accountsAndKeys } from './migrations/accounts/001-accounts-and-keys.ts';
import type { Inventory } from '../profile/inventory.ts';
import type { SourceStore } from '../tool-sources/source-store.ts';
import { modelChoice } from './migrations/accounts/002-model-choice.ts';
import { toolSources } from './migrations/accounts/003-tool-sources.ts';
import { identity } from './migrations/accounts/004-identity.ts';
import type { RequestRows } from '../rights/request-rows.ts';
import { rightsRequests } from './migrations/accounts/005-rights-requests.ts';
import { type RequestTables, requestsIn } from './request-rows.ts';
import { rights } from './migrations/accounts/006-rights.ts';
import { missingParts } from './migrations/accounts/007-missing-parts.ts';
import { type RightsStore, type RightsTables, rightsIn } from './rights-rows.ts';
import { type SourceTables, sourcesIn } from './source-rows.ts';
import { createInventory } from './inventory.ts';
import { accountInventory } from './inventory-rules.ts';
import { isUniqueViolation } from './sqlite.ts';
import { openRingStore, type RotatableStore } from './ring-store.ts';

interface AccountTables extends SourceTables, RequestTables, RightsTables {
  account: {
    id: AccountId;
    role: Role;
    name: string;
    email: string;
    created_at: number;
    updated_at: number;
  };
  api_key: {
    id: ApiKeyId;
    account_id: AccountId;
    created_at: number;
    hmac: Uint8Array;
    epoch: number;
    wrapped_account_key: Uint8Array;
  };
  account_model: { account_id: AccountId; platform: string };
  identity: { account_id: AccountId; subject_hmac: Uint8Array };
}

export const accountMigrations = [
  accountsAndKeys,
  modelChoice,
  toolSources,
  identity,
  rightsRequests,
  rights,
  missingParts,
];

export interface AccountStoreOptions {
  /** `<dataDir>/accounts/accounts.db`. */
  readonly path: string;
  readonly keyRing: KeyRing;
  readonly events?: Pick<EventLog, 'emit'>;
}

export interface OpenAccountStore extends AccountStore, RotatableStore {
  /** What accounts chose among the models. */
  readonly modelChoices: AccountChoices;
  /** Outside MCP servers that accounts use. */
  readonly toolSources: SourceStore;
  /** Requests under the rights of the GDPR. */
  readonly rightsRequests: RequestRows;
  readonly rights: RightsStore;
  readonly inventory: Inventory;
  close(): Promise<void>;
}

/** What the tombstone of a revoked API key stands for. */
export function apiKeyResource(keyId: ApiKeyId): string {
  return `api-keys/${keyId}`;
}

export async function openAccountStore({
  path,
  keyRing,
  events,
}: AccountStoreOptions): Promise<OpenAccountStore> {
  const store = await openRingStore<AccountTables>({
    name: 'accounts',
    path,
    keyRing,
    migrations: accountMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  return {
    ...peopleIn(db, () => store.checkpoint()),
    async listKeys() {
      const rows = await db.selectFrom('api_key').selectAll().orderBy('created_at').orderBy('id').execute();
      return rows.map(toKey);
    },
    async insertKey(key) {
      await db.insertInto('api_key').values(keyRow(key)).execute();
    },
    async removeKey(keyId) {
      // A restored backup must not let it in again.
      await keyRing.destroy(apiKeyResource(keyId));
      await db.deleteFrom('api_key').where('id', '=', keyId).execute();
      store.checkpoint();
    },
    async forgetAccount(accountId) {
      await db.deleteFrom('account').where('id', '=', accountId).execute();
      store.checkpoint();
    },
    modelChoices: choicesIn(db),
    inventory: createInventory(db, { store: 'accounts', rules: accountInventory }),
    toolSources: sourcesIn(db.$pickTables<'tool_source'>(), () => store.checkpoint()),
    rightsRequests: requestsIn(db.$pickTables<'rights_request'>()),
    rights: rightsIn(db.$pickTables<keyof RightsTables>(), () => store.checkpoint()),
    rotateKey: () => store.rotateKey(),
    close: async () => await store.close(),
  };
}

type People = Omit<AccountStore, 'listKeys' | 'insertKey' | 'removeKey' | 'forgetAccount'>;

function peopleIn(db: Kysely<AccountTables>, checkpoint: () => void): People {
  return {
    async insertAccount(account, firstKey, identityHmac) {
      await db.transaction().execute(async (tx) => {
        try {
          await tx.insertInto('account').values(accountRow(account)).execute();
        } catch (thrown) {
          throw isUniqueViolation(thrown) ? emailTaken() : thrown;
        }
        await tx.insertInto('api_key').values(keyRow(firstKey)).execute();
        if (identityHmac === undefined) return;
        await tx
          .insertInto('identity')
          .values({ account_id: account.id, subject_hmac: identityHmac })
          .execute();
      });
    },
    async findAccount(accountId) {
      const row = await db.selectFrom('account').selectAll().where('id', '=', accountId).executeTakeFirst();
      return row && toAccount(row);
    },
    async findAccountByEmail(email) {
      const row = await db
        .selectFrom('account')
        .selectAll()
        .where((eb) => eb.fn<string>('lower', ['email']), '=', sql<string>`lower(${email})`)
        .executeTakeFirst();
      return row && toAccount(row);
    },
    async findAccountByIdentity(identityHmac) {
      const row = await db
        .selectFrom('account')
        .innerJoin('identity', 'identity.account_id', 'account.id')
        .selectAll('account')
        .where('subject_hmac', '=', identityHmac)
        .executeTakeFirst();
      return row && toAccount(row);
    },
    async insertIdentity(accountId, identityHmac) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('identity')
        .values({ account_id: accountId, subject_hmac: identityHmac })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },
    async updatePerson(accountId, { name, email }, updatedAt) {
      try {
        const row = await db
          .updateTable('account')
          .set({ name, email, updated_at: updatedAt })
          .where('id', '=', accountId)
          .returningAll()
          .executeTakeFirst();
        // What stood there before is gone from the disk, too.
        checkpoint();
        return row && toAccount(row);
      } catch (thrown) {
        throw isUniqueViolation(thrown) ? emailTaken() : thrown;
      }
    },
    async listAccounts() {
      const rows = await db.selectFrom('account').selectAll().orderBy('created_at').orderBy('id').execute();
      return rows.map(toAccount);
    },
  };
}

function choicesIn(db: Kysely<AccountTables>): AccountChoices {
  return {
    async get(accountId) {
      const row = await db
        .selectFrom('account_model')
        .select('platform')
        .where('account_id', '=', accountId)
        .executeTakeFirst();
      return row?.platform;
    },
    async set(accountId, platform) {
      if (platform === null) {
        await db.deleteFrom('account_model').where('account_id', '=', accountId).execute();
        return;
      }
      await db
        .insertInto('account_model')
        .values({ account_id: accountId, platform })
        .onConflict((conflict) => conflict.column('account_id').doUpdateSet({ platform }))
        .execute();
    },
  };
}

function accountRow({ id, role, name, email, createdAt, updatedAt }: Account): AccountTables['account'] {
  return { id, role, name, email, created_at: createdAt, updated_at: updatedAt };
}

function toAccount({ created_at, updated_at, ...row }: Selectable<AccountTables['account']>): Account {
  return { ...row, createdAt: created_at, updatedAt: updated_at };
}

function keyRow(key: StoredApiKey): AccountTables['api_key'] {
  const { id, accountId, createdAt, hmac, epoch, wrappedAccountKey } = key;
  return {
    id,
    account_id: accountId,
    created_at: createdAt,
    hmac,
    epoch,
    wrapped_account_key: wrappedAccountKey,
  };
}

function toKey(row: Selectable<AccountTables['api_key']>): StoredApiKey {
  const { id, account_id, created_at, hmac, epoch, wrapped_account_key } = row;
  return {
    id,
    accountId: account_id,
    createdAt: created_at,
    hmac,
    epoch,
    wrappedAccountKey: wrapped_account_key,
  };
}

function emailTaken(): PlatformError {
  return new PlatformError({
    kind: 'already_exists',
    code: 'accounts.email_taken',
    message: 'There is an account with this e-mail address already.',
  });
}
