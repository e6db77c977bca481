import { createAccountsKeeper } from './accounts/keeper.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { Aimee } from './aimee/create-aimee.ts';
import { createAimeeKeeper } from './aimee/keeper.ts';
import { backupsKeeper } from './backups/keeper.ts';
import type { CallStore } from './calls/call-record.ts';
import { createCallsKeeper } from './calls/keeper.ts';
import type { Pool } from './calls/pool.ts';
import type { Owner } from './compose-owner.ts';
import type { Databases } from './databases/databases.ts';
import { createSqlKeeper, createVectorsKeeper } from './databases/keeper.ts';
import type { Functions } from './functions/functions.ts';
import { createFunctionsKeeper } from './functions/keeper.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { createKeysKeeper } from './keys/keeper.ts';
import type { Receipts } from './keys/receipts.ts';
import { createLayersKeeper } from './languages/keeper.ts';
import type { Languages } from './languages/languages.ts';
import { type Erasure, createErasure, keepErasing } from './rights/erasure.ts';
import type { Keeper } from './rights/keepers.ts';
import type { Restriction } from './rights/restriction.ts';
import type { Sessions } from './sign-in/sessions.ts';
import type { OpenAccountStore } from './stores/account-store.ts';
import { createToolSourcesKeeper } from './tool-sources/keeper.ts';

/** What answers for what is kept of account holders. */
export interface KeptAreas {
  readonly keyRing: KeyRing;
  readonly accountStore: OpenAccountStore;
  readonly functions: Functions;
  readonly calls: CallStore;
  readonly databases: Databases;
  readonly aimee: Pick<Aimee, 'erase'>;
  readonly languages: Pick<Languages, 'forget'>;
}

/** One for each area, in the order in which they erase: keys first, then rows and files, the account itself last. */
export function composeKeepers(areas: KeptAreas): Keeper[] {
  const { keyRing, accountStore, functions, calls, databases, aimee, languages } = areas;
  return [
    createKeysKeeper(keyRing),
    createFunctionsKeeper(functions),
    createVectorsKeeper(databases),
    createSqlKeeper(databases),
    createAimeeKeeper(aimee),
    createToolSourcesKeeper(accountStore.toolSources),
    createCallsKeeper(calls),
    createLayersKeeper(languages),
    backupsKeeper,
    createAccountsKeeper(accountStore),
  ];
}

export interface ErasureComposition {
  readonly keepers: readonly Keeper[];
  readonly accounts: Pick<Accounts, 'endAccess'>;
  readonly accountStore: OpenAccountStore;
  readonly restriction: Restriction;
  readonly sessions: Pick<Sessions, 'endAccount'>;
  readonly pool: Pick<Pool, 'retireCaller'>;
  readonly owner: Pick<Owner, 'ensure'>;
  readonly receipts: Receipts;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
  readonly events: EventLog;
}

/** Has gone on with what was interrupted when it resolves. */
export async function composeErasure(parts: ErasureComposition): Promise<Erasure> {
  const { accounts, accountStore, sessions, pool, owner, lifecycle } = parts;
  const erasure = createErasure({
    ...parts,
    store: accountStore.rights.erasures,
    accounts: accountStore,
    endAccess(accountId) {
      accounts.endAccess(accountId);
      sessions.endAccount(accountId);
      pool.retireCaller(accountId);
    },
    ensureOwner: () => owner.ensure(),
  });
  const unfinished = keepErasing({ ...parts, erasure });
  lifecycle.onClose('erasures', () => unfinished.close());
  await unfinished.first;
  return erasure;
}
