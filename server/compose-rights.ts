import type { Accounts } from './accounts/accounts.ts';
import type { Config } from './config.ts';
import type { RightsParts } from './gateway/control/control-plane-options.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Receipts } from './keys/receipts.ts';
import { createRequests } from './rights/requests.ts';
import type { OpenAccountStore } from './stores/account-store.ts';

export interface RightsComposition {
  readonly config: Pick<Config, 'rightsHolidays'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  readonly lifecycle: Lifecycle;
  readonly stores: {
    readonly accounts: Pick<Accounts, 'get'>;
    readonly accountStore: Pick<OpenAccountStore, 'rightsRequests' | 'findAccountByEmail'>;
    readonly receipts: Receipts;
  };
}

/** The rights of account holders: what they ask, and what does it. */
export function composeRights({ config, lifecycle, stores, ...parts }: RightsComposition): RightsParts {
  const { accounts, accountStore, receipts } = stores;
  const requests = createRequests({
    ...parts,
    rows: accountStore.rightsRequests,
    accounts: {
      get: (accountId) => accounts.get(accountId),
      find: (email) => accountStore.findAccountByEmail(email),
    },
    acts: {},
    receipts,
    holidays: new Set(config.rightsHolidays),
  });
  lifecycle.onClose('rights', () => requests.close());
  return { requests };
}
