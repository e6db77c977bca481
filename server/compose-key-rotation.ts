import type { Aimee } from './aimee/create-aimee.ts';
import { rotateCustomerKey } from './aimee/customers.ts';
import type { Stores } from './compose-stores.ts';
import type { Config } from './config.ts';
import type { Functions } from './functions/functions.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import { createKeyRotation, type KeyRotation } from './keys/rotation.ts';

export interface KeyRotationComposition {
  readonly config: Config;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly stores: Stores;
  readonly functions: Functions;
  readonly aimee: Pick<Aimee, 'knowledge'>;
}

/** Other keys for the installation, and for all that an account has. */
export function composeKeyRotation(parts: KeyRotationComposition): KeyRotation {
  const { config, stores, functions, aimee } = parts;
  const { rotatable, backups, keyRing } = stores;
  return createKeyRotation({
    ...parts,
    ...stores,
    source: config.rootKey,
    stores: rotatable,
    conversations: { rotateKey: (accountId) => rotateCustomerKey({ ...stores.aimee, keyRing }, accountId) },
    knowledge: aimee.knowledge,
    code: functions,
    backups: backups?.backups,
  });
}
