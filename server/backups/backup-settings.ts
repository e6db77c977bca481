import { relative, resolve } from 'node:path';
import * as z from 'zod';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const backupShape = {
  backupTarget: z
    .string()
    .min(1)
    .optional()
    .describe('Directory that generations of backups are written to, best on another machine.'),
  backupKeysTarget: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Directory for the backup of the keys: apart from `backupTarget`, and rewritten whenever a key is destroyed.',
    ),
  backupEveryHours: z.coerce
    .number()
    .min(0.25)
    .max(168)
    .default(24)
    .describe('Hours from one backup to the next.'),
  backupKeep: z.coerce.number().int().min(1).max(1000).default(14).describe('Generations of backups kept.'),
  backupMaxDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(366)
    .default(30)
    .describe('Generations older than this many days are removed.'),
};

const values = z.object(backupShape);
export type BackupValues = z.output<typeof values>;

export interface BackupSettings {
  /** Absolute. */
  readonly target: string;
  /** Absolute; neither of the two lies within the other or the data directory. */
  readonly keysTarget: string;
  readonly everyMs: number;
  readonly keep: number;
  readonly maxAgeMs: number;
}

/** Undefined without a target. */
export function resolveBackups(
  given: BackupValues & { readonly dataDir: string },
  fault: (text: string) => void,
): BackupSettings | undefined {
  const { backupTarget, backupKeysTarget, backupEveryHours, backupKeep, backupMaxDays } = given;
  if (backupTarget === undefined && backupKeysTarget === undefined) return undefined;
  if (backupTarget === undefined || backupKeysTarget === undefined) {
    fault(
      'backupTarget and backupKeysTarget (JELLYFAAS_BACKUP_TARGET, …_KEYS_TARGET) belong together: set both',
    );
    return undefined;
  }
  const [target, keysTarget, dataDir] = [backupTarget, backupKeysTarget, given.dataDir].map((p) =>
    resolve(p),
  ) as [string, string, string];
  const places = [target, keysTarget, dataDir];
  if (places.some((a, i) => places.some((b, k) => i !== k && isWithin(a, b)))) {
    fault('backupTarget, backupKeysTarget and dataDir must be three places, none within another');
  }
  return {
    target,
    keysTarget,
    everyMs: backupEveryHours * HOUR_MS,
    keep: backupKeep,
    maxAgeMs: backupMaxDays * DAY_MS,
  };
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === '' || !(way.startsWith('..') || way.startsWith('/'));
}
