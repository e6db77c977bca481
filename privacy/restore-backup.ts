import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { restore } from '../server/backups/restore.ts';
import { systemClock } from '../server/kernel/clock.ts';
import { loadRootKey } from '../server/keys/root-key.ts';

/** Where a platform puts its backups. */
export interface BackupPlaces {
  readonly target: string;
  readonly keysTarget: string;
}

/**
 * A new data directory out of one generation, the backup of the keys as it is now, and the root key of `dataDir`: all
 * that is left when the machine is lost, and all that a thief of backups can get. Lies below `directory`.
 */
export async function restoreBackup(
  settings: BackupPlaces,
  dataDir: string,
  directory: string,
  generation = 1,
): Promise<string> {
  const restored = mkdtempSync(join(directory, 'restored-'));
  const path = join(restored, 'keys', 'root.key');
  mkdirSync(join(restored, 'keys'), { mode: 0o700 });
  cpSync(join(dataDir, 'keys', 'root.key'), path);
  const root = await loadRootKey({ source: 'file', path }, false);
  const target = { kind: 'directory', path: settings.target } as const;
  const options = { dataDir: restored, settings: { ...settings, target }, root, clock: systemClock };
  await restore(options, { generation, reason: 'The machine is lost.' });
  return restored;
}
