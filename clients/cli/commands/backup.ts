import type { Command } from 'commander';
import type {
  BackupList,
  BackupLog,
  BackupRestore,
  BackupRestores,
  BackupVerification,
  MadeBackup,
} from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { CliError, usageError } from '../failure.ts';

/** Backups of the installation; its owner only. */
export function addBackupCommands(program: Command, context: Context): void {
  const backup = program.command('backup').description('backups of this installation (owner only)');
  addMaking(backup, context);
  addRestoring(backup, context);
}

function addMaking(backup: Command, context: Context): void {
  const now = withJson(backup.command('now'))
    .description('make a backup now')
    .action(async () => {
      const value = await connect(context, now).sendSlow<MadeBackup>('POST', '/api/v1/backups');
      const { generation, files, bytes, newBytes } = value;
      const lines = [
        `Made generation ${generation}: ${files} files, ${mebibytes(bytes)}, new ${mebibytes(newBytes)}.`,
      ];
      print(context, now, { value, lines });
    });

  const list = withJson(backup.command('list'))
    .description('list the generations')
    .action(async () => {
      const value = await connect(context, list).get<BackupList>('/api/v1/backups');
      const rows = value.generations.map(({ generation, at, until, isPresent }) => [
        `${generation}`,
        at,
        until,
        isPresent ? 'yes' : 'MISSING',
      ]);
      const lines = table(['GENERATION', 'MADE', 'REMOVED BY', 'THERE'], rows, 'There are no backups.');
      lines.push(`The last copy of what is dropped now is gone by ${value.lastCopyUntil}.`);
      print(context, list, { value, lines });
    });

  const verify = withJson(backup.command('verify'))
    .description('check a generation without reading it; the newest if none is named')
    .argument('[generation]', 'its number')
    .option('--share <percent>', 'part of the files that are hashed again', '100')
    .action(async (generation: string | undefined, { share }: { share: string }) => {
      const body = {
        ...(generation !== undefined && { generation: numberOf(generation) }),
        share: Number(share) / 100,
      };
      const path = '/api/v1/backups/verifications';
      const value = await connect(context, verify).sendSlow<BackupVerification>('POST', path, body);
      const { files, bytes, stores, findings } = value;
      const what = `${files} files (${mebibytes(bytes)}) hashed, ${stores} stores checked`;
      const found = findings.map(({ code, path: where }) => `  ${code}${where === null ? '' : `: ${where}`}`);
      const lines =
        found.length === 0
          ? [`Generation ${value.generation} is sound: ${what}.`]
          : [`Generation ${value.generation} CANNOT BE TRUSTED: ${what}.`, ...found];
      print(context, verify, { value, lines });
      if (found.length > 0) throw new CliError('Take another generation.', { code: 'cli.backup_unsound' });
    });

  const log = withJson(backup.command('log'))
    .description('every access to backups, as it was recorded')
    .action(async () => {
      const value = await connect(context, log).get<BackupLog>('/api/v1/backups/log');
      const rows = value.entries.map(({ at, event, actor, generation, outcome, reason }) => [
        at,
        event,
        generation === null ? '' : `${generation}`,
        outcome,
        actor ?? 'platform',
        reason ?? '',
      ]);
      const lines = table(['AT', 'WHAT', 'GENERATION', 'OUTCOME', 'WHO', 'REASON'], rows, 'There was none.');
      if (!value.isIntact) lines.push('THE LOG HAS BEEN CHANGED: its entries do not follow from each other.');
      print(context, log, { value, lines });
    });
}

function addRestoring(backup: Command, context: Context): void {
  const restore = withJson(backup.command('restore'))
    .description('ask for a restore; a second person approves it with an API key of his own')
    .argument('<generation>', 'its number')
    .requiredOption('--reason <reason>', 'why; it stays in the log')
    .action(async (generation: string, { reason }: { reason: string }) => {
      const body = { generation: numberOf(generation), reason };
      const path = '/api/v1/backups/restores';
      const value = await connect(context, restore).send<BackupRestore>('POST', path, body);
      const lines = [`A second person approves it with: jellyfaas backup approve ${value.id}`];
      print(context, restore, { value, lines });
    });

  const restores = withJson(backup.command('restores'))
    .description('restores that were asked for')
    .action(async () => {
      const value = await connect(context, restores).get<BackupRestores>('/api/v1/backups/restores');
      const rows = value.restores.map(({ id, generation, requestedAt, approvedAt, executedAt, reason }) => [
        id,
        `${generation}`,
        requestedAt,
        approvedAt ?? '',
        executedAt ?? '',
        reason,
      ]);
      const heading = ['RESTORE', 'GENERATION', 'ASKED', 'APPROVED', 'DONE', 'REASON'];
      print(context, restores, { value, lines: table(heading, rows, 'There are none.') });
    });

  const approve = withJson(backup.command('approve'))
    .description('as the second person: approve a restore')
    .argument('<restore>', 'as listed')
    .action(async (id: string) => {
      const path = `/api/v1/backups/restores/${encodeURIComponent(id)}/approval`;
      const value = await connect(context, approve).send<BackupRestore>('POST', path);
      const lines = [
        `Approved for 24 hours: generation ${value.generation}, because "${value.reason}".`,
        `Stop the server and run it once with: npm start -- --restore ${value.id}`,
      ];
      print(context, approve, { value, lines });
    });
}

function numberOf(generation: string): number {
  if (!/^[1-9]\d*$/.test(generation))
    throw usageError('Generations are numbers, as "jellyfaas backup list" shows them.');
  return Number(generation);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
