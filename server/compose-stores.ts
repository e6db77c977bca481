import { dirname } from 'node:path';
import type { Accounts } from './accounts/accounts.ts';
import { createAccounts } from './accounts/create-accounts.ts';
import { finishSwap } from './backups/restore.ts';
import type { CallStore } from './calls/call-record.ts';
import { type AimeeStores, openAimeeStores } from './compose-aimee.ts';
import { composeBackups, type ComposedBackups } from './compose-backups.ts';
import { composeKeys } from './compose-keys.ts';
import type { Config } from './config.ts';
import { openDataDirectory } from './data-directory.ts';
import { createDatabases } from './databases/create-databases.ts';
import type { Databases } from './databases/databases.ts';
import type { FunctionStore } from './functions/function-store.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { Receipts } from './keys/receipts.ts';
import type { RootKey } from './keys/root-key.ts';
import type { AccountChoices } from './models/account-choices.ts';
import type { Inventory } from './profile/inventory.ts';
import { guarded } from './rights/guarded.ts';
import { type Objections, createObjections } from './rights/objections.ts';
import { type Restriction, createRestriction } from './rights/restriction.ts';
import type { Jail } from './sandbox/jail.ts';
import { type OpenAccountStore, openAccountStore } from './stores/account-store.ts';
import { createCallStore } from './stores/call-store.ts';
import { openDatabaseStore } from './stores/database-store.ts';
import { openFunctionStore } from './stores/function-store.ts';
import { databaseFiles } from './stores/rekey.ts';
import type { RotatableStore } from './stores/ring-store.ts';
import type { SourceStore } from './tool-sources/source-store.ts';

const HOUR_MS = 3_600_000;

/** What lasts: the data directory, its keys and the stores that they open. */
export interface Stores {
  readonly keyRing: KeyRing;
  readonly accounts: Accounts;
  readonly calls: CallStore;
  readonly functions: FunctionStore;
  readonly accountStore: OpenAccountStore;
  readonly modelChoices: AccountChoices;
  readonly toolSources: SourceStore;
  readonly databases: Databases;
  readonly receipts: Receipts;
  readonly restriction: Restriction;
  readonly objections: Objections;
  readonly aimee: AimeeStores;
  readonly backups: ComposedBackups | undefined;
  readonly root: RootKey;
  /** Of the installation itself: their keys can be exchanged. */
  readonly rotatable: readonly RotatableStore[];
  /** What each store holds of people. */
  readonly inventories: readonly Inventory[];
  readonly blobs: string;
  readonly layers: string;
}

export interface StoresComposition {
  readonly config: Config;
  readonly jail: Jail;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Opens all of it. What gives or changes something of an account asks first whether its data may be used. */
export async function openStores(parts: StoresComposition, lifecycle: Lifecycle): Promise<Stores> {
  const { config, clock, events } = parts;
  const data = openDataDirectory(config.dataDir);
  lifecycle.onClose('data directory', () => data.release());
  await finishSwap(config.dataDir);
  const keys = await composeKeys({ ...parts, data, lifecycle });
  const { keyRing, receipts } = keys;
  const backups = await composeBackups({ ...parts, ...keys, lifecycle });
  const accountStore = await openAccountStore({ path: data.accountsDb, keyRing, events });
  lifecycle.onClose('account store', () => accountStore.close());
  const restriction = await createRestriction({ store: accountStore.rights.restrictions, clock });
  const objections = await createObjections(accountStore.rights.objections);
  const functions = await openFunctionStore({ path: data.functionsDb, keyRing, restriction, events });
  lifecycle.onClose('function store', () => functions.close());
  const databaseStore = await openDatabaseStore({ path: data.databasesDb, keyRing, events });
  lifecycle.onClose('database store', () => databaseStore.close());
  const databases = await createDatabases({
    store: guarded(databaseStore, restriction),
    keyRing,
    files: databaseFiles,
    receipts,
    clock,
    directory: dirname(data.databasesDb),
  });
  const aimee = await openAimeeStores({ ...parts, directory: data.aimee, keyRing, lifecycle });
  const calls = createCallStore({ dir: data.calls, keyRing, restriction, objections, events });
  lifecycle.onClose('call store', () => calls.close());
  const accounts = await createAccounts({
    store: guarded(accountStore, restriction),
    keyRing,
    clock,
    restriction,
    tokenLifetimeMs: config.tokenHours * HOUR_MS,
  });
  return {
    keyRing,
    root: keys.root,
    rotatable: [accountStore, functions, databaseStore, aimee.catalogue, ...(backups ? [backups.store] : [])],
    accounts: guarded(accounts, restriction),
    calls: guarded(calls, restriction),
    functions: guarded(functions, restriction),
    accountStore,
    modelChoices: guarded(accountStore.modelChoices, restriction),
    toolSources: guarded(accountStore.toolSources, restriction),
    databases: guarded(databases, restriction),
    receipts,
    restriction,
    objections,
    aimee: { ...aimee, customers: guarded(aimee.customers, restriction) },
    backups,
    inventories: [
      ...[accountStore, functions, databaseStore, calls, keys.keyStore, ...(backups ? [backups] : [])].map(
        ({ inventory }) => inventory,
      ),
      ...aimee.inventories,
    ],
    blobs: data.blobs,
    layers: data.layers,
  };
}
