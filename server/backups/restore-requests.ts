import type { Principal } from '../accounts/principal.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { LogAccess } from './access-log.ts';
import type { BackupStore, RestoreId, RestoreRequest } from './backup-store.ts';
import type { Backups } from './backups.ts';
import { backupErrors } from './errors.ts';

export interface RestoreRequestsOptions {
  readonly store: BackupStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: LogAccess;
}

/** Two people and a reason: two API keys of the owner, which two people hold. */
export function createRestoreRequests({
  store,
  clock,
  log,
}: RestoreRequestsOptions): Pick<Backups, 'requestRestore' | 'approveRestore'> {
  return {
    async requestRestore({ accountId, keyId }, { generation, reason }): Promise<RestoreRequest> {
      if (keyId === undefined) throw backupErrors.needsKey();
      const known = await store.generations();
      if (!known.some(({ number }) => number === generation)) throw notFound('generation');
      const request: RestoreRequest = {
        id: newId<RestoreId>('rst'),
        generation,
        reason,
        requestedBy: keyId,
        requestedAt: clock.now(),
        approvedBy: null,
        approvedAt: null,
        executedAt: null,
        receipt: null,
      };
      await store.request(request);
      await log('restore-requested', accountId, { generation, reason });
      return request;
    },
    async approveRestore({ accountId, keyId }: Principal, id) {
      if (keyId === undefined) throw backupErrors.needsKey();
      const request = await store.findRequest(id);
      if (request === undefined) throw notFound('restore');
      if (request.requestedBy === keyId) throw backupErrors.samePerson();
      const { generation, reason } = request;
      await log('restore-approved', accountId, { generation, reason });
      await store.approve(id, keyId, clock.now());
      return (await store.findRequest(id)) ?? request;
    },
  };
}
