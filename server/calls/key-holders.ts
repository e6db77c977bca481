import type { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { callErrors, sealedErrors } from './call-errors.ts';
import type { CallGroups } from './call-groups.ts';
import type { Deployment } from './deployment.ts';
import type { SealedKeys } from './guest-channel.ts';
import type { Instance } from './instance.ts';
import type { CallLimits } from './limits.ts';
import type { Pool } from './pool.ts';
import { untilInstance } from './until-instance.ts';

/** The instances that have the keys of sealed calls, one for each account and deployment. */
export interface KeyHolders {
  readonly acquire: Pool['acquireSealed'];
  readonly keys: Pool['sealedKeys'];
}

export interface KeyHoldersOptions {
  readonly groups: CallGroups;
  /** Why nothing of this deployment may be acquired. */
  readonly refusal: (deployment: Deployment) => PlatformError | undefined;
  readonly scheduler: Scheduler;
  readonly limits: Pick<CallLimits, 'idleMs'>;
}

export function createKeyHolders({ groups, refusal, scheduler, limits }: KeyHoldersOptions): KeyHolders {
  /** Within the time that a call would get. */
  async function start(deployment: Deployment, caller: AccountId): Promise<Instance> {
    const giveUp = new AbortController();
    const timer = scheduler.after(deployment.timeoutMs, () => giveUp.abort(callErrors.overloaded()));
    try {
      const instance = await untilInstance(groups.obtain(deployment, caller), giveUp.signal);
      instance.release();
      return instance;
    } finally {
      timer.close();
    }
  }

  return {
    acquire(deployment, caller, acquirer) {
      const group = groups.find(deployment.id, caller);
      const isHeld = group !== undefined && group.instances.length > 0;
      const refused = refusal(deployment) ?? (isHeld ? undefined : sealedErrors.unknownKey());
      if (refused === undefined) group?.acquire(acquirer);
      else acquirer.onUnavailable(refused);
    },
    async keys(deployment, caller): Promise<SealedKeys> {
      const refused = refusal(deployment);
      if (refused !== undefined) throw refused;
      const group = groups.find(deployment.id, caller);
      const running = group?.instances.find(({ isDraining }) => !isDraining);
      const instance = running ?? (await start(deployment, caller));
      const { configs, freshSeconds } = await instance.sealedKeys();
      // An instance that nobody calls ends, and its keys with it.
      return { configs, freshSeconds: Math.min(freshSeconds, Math.floor(limits.idleMs / 1000)) };
    },
  };
}
