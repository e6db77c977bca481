import type { FastifyInstance } from 'fastify';
import { type BackupRestore, backupRoutes as routes } from '../../../contract/index.ts';
import type { RestoreId, RestoreRequest } from '../../backups/backup-store.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { bind } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** Backups, for the owner. */
export function serveBackups(app: FastifyInstance, { accounts, backups }: ControlPlaneOptions): void {
  const made = (): NonNullable<typeof backups> => {
    if (backups === undefined) throw notConfigured();
    return backups;
  };
  bind(app, accounts, routes.listBackups, async ({ principal }) => ({
    generations: (await made().list(principal.accountId)).map(({ at, until, ...rest }) => ({
      ...rest,
      at: rfc3339(at),
      until: rfc3339(until),
    })),
    lastCopyUntil: rfc3339(await made().lastCopyUntil()),
  }));
  bind(app, accounts, routes.makeBackup, async ({ principal }) => {
    const { at, ...rest } = await made().make(principal.accountId);
    return { ...rest, at: rfc3339(at) };
  });
  bind(app, accounts, routes.verifyBackup, async ({ principal, body: { generation, share } }) => {
    const question = { share, ...(generation !== undefined && { generation }) };
    const { findings, ...rest } = await made().verify(principal.accountId, question);
    return { ...rest, findings: [...findings] };
  });
  bind(app, accounts, routes.listRestores, async () => ({
    restores: (await made().restores()).map(restoreOf),
  }));
  bind(app, accounts, routes.requestRestore, async ({ principal, body }) =>
    restoreOf(await made().requestRestore(principal, body)),
  );
  bind(app, accounts, routes.approveRestore, async ({ principal, params }) =>
    restoreOf(await made().approveRestore(principal, params.restoreId as RestoreId)),
  );
  bind(app, accounts, routes.getBackupLog, async () => {
    const { entries, isIntact } = await made().log();
    return {
      isIntact,
      entries: entries.map(({ at, hash, ...rest }) => ({
        ...rest,
        at: rfc3339(at),
        hash: Buffer.from(hash).toString('hex'),
      })),
    };
  });
}

function restoreOf({ requestedAt, approvedAt, executedAt, ...rest }: RestoreRequest): BackupRestore {
  const time = (at: number | null): string | null => (at === null ? null : rfc3339(at));
  return {
    ...rest,
    requestedAt: rfc3339(requestedAt),
    approvedAt: time(approvedAt),
    executedAt: time(executedAt),
  };
}

function notConfigured(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'backups.not_configured',
    message: 'This installation makes no backups. Set backupTarget and backupKeysTarget, and start it again.',
  });
}
