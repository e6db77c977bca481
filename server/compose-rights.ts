import type { Accounts } from './accounts/accounts.ts';
import { createAccountsCopier } from './accounts/copier.ts';
import type { CallStore } from './calls/call-record.ts';
import { createCallsCopier } from './calls/copier.ts';
import type { Config } from './config.ts';
import type { RightsParts } from './gateway/control/control-plane-options.ts';
import type { Clock } from './kernel/clock.ts';
import { notFound } from './kernel/errors.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Receipts } from './keys/receipts.ts';
import type { Statement } from './privacy-statement/statement.ts';
import { DATA_MAP } from './privacy/data-map/data-map.ts';
import { copyPage } from './privacy/published/copy-page.ts';
import type { Inventory } from './profile/inventory.ts';
import { createProfile } from './profile/profile.ts';
import type { Copier } from './rights/copier.ts';
import { type Copies, createCopies } from './rights/copies.ts';
import { guarded } from './rights/guarded.ts';
import { createInvitations } from './rights/invitations.ts';
import { packLimits } from './rights/packs/limits.ts';
import type { Aimee } from './aimee/create-aimee.ts';
import type { Functions } from './functions/functions.ts';
import type { Erasure } from './rights/erasure.ts';
import type { Objections } from './rights/objections.ts';
import type { Restriction } from './rights/restriction.ts';
import type { ObjectionPurpose } from './rights/request-rows.ts';
import { createRequests } from './rights/requests.ts';
import { createTransmit } from './rights/transmissions.ts';
import { hostNetwork } from './sandbox/egress-guard.ts';
import type { OpenAccountStore } from './stores/account-store.ts';

export interface RightsComposition {
  readonly config: Pick<Config, 'rightsHolidays' | 'copyAllowedHosts' | 'dataDir'>;
  readonly version: string;
  readonly privacy: Statement;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  readonly lifecycle: Lifecycle;
  readonly stores: {
    readonly accounts: Accounts;
    readonly accountStore: OpenAccountStore;
    readonly calls: CallStore;
    readonly receipts: Receipts;
    readonly inventories: readonly Inventory[];
    readonly restriction: Restriction;
    readonly objections: Objections;
  };
  readonly erasure: Erasure;
  readonly functions: Pick<Functions, 'pauseBuilds' | 'resumeBuilds'>;
  readonly aimee: Pick<Aimee, 'rest'>;
  /** Of areas that are composed elsewhere, in the order in which they may be taken over. */
  readonly copiers: readonly Copier[];
}

/** The rights of account holders: what they ask, and what does it. */
export function composeRights(composition: RightsComposition): RightsParts {
  const { config, lifecycle, stores, erasure, functions, aimee, ...parts } = composition;
  const { accountStore, receipts, restriction, objections } = stores;
  restriction.onChanged(async (accountId, isRestricted) => {
    if (!isRestricted) return await functions.resumeBuilds(accountId);
    aimee.rest(accountId);
    await restriction.asOwnAct(accountId, () => functions.pauseBuilds(accountId));
  });
  const requests = createRequests({
    ...parts,
    rows: accountStore.rightsRequests,
    accounts: {
      // Requests are answered whatever else the account's data may not be used for.
      async get(accountId) {
        const account = await accountStore.findAccount(accountId);
        if (account === undefined) throw notFound('account');
        return account;
      },
      find: (email) => accountStore.findAccountByEmail(email),
    },
    acts: {
      restriction: (accountId) => restriction.restrict(accountId),
      lifting: (accountId) => restriction.lift(accountId),
      objection: (accountId, purpose) => objections.object(accountId, purposeIn(purpose)),
      withdrawal: (accountId, purpose) => objections.withdraw(accountId, purposeIn(purpose)),
    },
    erase: async (accountId) => void (await erasure.erase(accountId)),
    receipts,
    holidays: new Set(config.rightsHolidays),
  });
  lifecycle.onClose('rights', () => requests.close());
  return {
    requests,
    erasure,
    restriction,
    objections,
    copies: composeCopies(composition),
    invitations: guarded(
      createInvitations({
        ...parts,
        exists: async (accountId) => (await accountStore.findAccount(accountId)) !== undefined,
      }),
      restriction,
    ),
    transmit: createTransmit({ ...parts, network: hostNetwork, allowedHosts: config.copyAllowedHosts }),
  };
}

/** Of a table of one account: all rows that there can be. */
const ALL_ROWS = Number.MAX_SAFE_INTEGER;

function composeCopies({ config, stores, copiers, privacy, ...parts }: RightsComposition): Copies {
  const { accounts, accountStore, calls, inventories, receipts, restriction } = stores;
  const profile = createProfile({ inventories, rowsMax: ALL_ROWS });
  return createCopies({
    ...parts,
    copiers: [
      createAccountsCopier({ accounts, choices: accountStore.modelChoices, profile }),
      ...copiers,
      createCallsCopier(calls),
    ],
    directory: config.dataDir,
    page: (facts) => copyPage(facts, privacy, DATA_MAP),
    receipts,
    restriction,
    limits: packLimits,
  });
}

/** Requests of these kinds have one. */
function purposeIn(purpose: ObjectionPurpose | null): ObjectionPurpose {
  if (purpose === null) throw new Error('an objection without a purpose');
  return purpose;
}
