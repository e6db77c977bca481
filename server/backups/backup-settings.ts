import { relative, resolve } from 'node:path';
import * as z from 'zod';
import { Secret } from '../kernel/secret.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const backupShape = {
  backupTarget: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Where generations of backups are written: a directory, best on another machine, or `s3://bucket/prefix`.',
    ),
  backupS3Endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address of an S3-compatible store; without it that of AWS in the region.'),
  backupS3Region: z.string().min(1).default('us-east-1').describe('Region of the bucket.'),
  backupS3KeyId: z.string().min(1).optional().describe('Name of the access key for the bucket.'),
  backupS3Secret: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The access key itself. It should be allowed no more than to read, write, list and delete there.',
    ),
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

/** A bucket, and the beginning of all names in it, which is empty or ends with a slash. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
  /** Undefined: that of AWS in the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

export type TargetPlace =
  | /** Absolute. */ { readonly kind: 'directory'; readonly path: string }
  | ({ readonly kind: 's3' } & S3Place);

export interface BackupSettings {
  readonly target: TargetPlace;
  /** Absolute; neither this nor a target that is a directory lies within the other or the data directory. */
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
  const target = targetOf(backupTarget, given, fault);
  if (target === undefined) return undefined;
  const [keysTarget, dataDir] = [resolve(backupKeysTarget), resolve(given.dataDir)];
  const places = [keysTarget, dataDir, ...(target.kind === 'directory' ? [target.path] : [])];
  if (places.some((a, i) => places.some((b, k) => i !== k && isWithin(a, b)))) {
    fault('backupTarget, backupKeysTarget and dataDir must be different places, none within another');
  }
  return {
    target,
    keysTarget,
    everyMs: backupEveryHours * HOUR_MS,
    keep: backupKeep,
    maxAgeMs: backupMaxDays * DAY_MS,
  };
}

const S3_FORM = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>[0-9A-Za-z_./-]*))?$/;

function targetOf(
  backupTarget: string,
  { backupS3Endpoint, backupS3Region, backupS3KeyId, backupS3Secret }: BackupValues,
  fault: (text: string) => void,
): TargetPlace | undefined {
  if (!backupTarget.startsWith('s3:')) return { kind: 'directory', path: resolve(backupTarget) };
  const { bucket, prefix = '' } = S3_FORM.exec(backupTarget)?.groups ?? {};
  if (bucket === undefined) {
    fault('backupTarget is no bucket: write s3://bucket or s3://bucket/prefix');
    return undefined;
  }
  if (backupS3KeyId === undefined || backupS3Secret === undefined) {
    fault(
      'backupTarget is a bucket, which needs backupS3KeyId and backupS3Secret (JELLYFAAS_BACKUP_S3_KEY_ID, …)',
    );
    return undefined;
  }
  return {
    kind: 's3',
    bucket,
    prefix: prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`,
    endpoint: backupS3Endpoint,
    region: backupS3Region,
    accessKeyId: backupS3KeyId,
    secretAccessKey: new Secret(backupS3Secret),
  };
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === '' || !(way.startsWith('..') || way.startsWith('/'));
}
