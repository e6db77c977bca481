import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';

/** Backups of the installation: its owner's alone, and nobody's content is ever in an answer. */

const Generation = z.int().min(1);

export const BackupGeneration = z.object({
  generation: Generation,
  at: Time.describe('All that was acknowledged before is in it'),
  until: Time.describe('When it is removed at the latest'),
  isPresent: z.boolean().describe('Whether the target still has its manifest'),
});

export const BackupList = z.object({
  generations: z.array(BackupGeneration),
  lastCopyUntil: Time.describe('When the last ciphertext of what is dropped now will be gone'),
});
export type BackupList = z.infer<typeof BackupList>;

export const MadeBackup = z.object({
  generation: Generation,
  at: Time,
  files: Count,
  bytes: Count,
  newBytes: Count.describe('Of files that no generation had before'),
});
export type MadeBackup = z.infer<typeof MadeBackup>;

export const VerifyBackup = z.strictObject({
  generation: Generation.optional().describe('Default: the newest'),
  share: z.number().min(0).max(1).default(1).describe('Part of the files that are hashed again'),
});

export const BackupVerification = z.object({
  generation: Generation,
  files: Count,
  bytes: Count,
  stores: Count.describe('Stores that SQLite checked, in a jail that can say one bit'),
  findings: z.array(
    z.object({
      code: z.enum(['manifest', 'exchanged', 'file', 'tenant', 'store', 'keys']),
      path: z.string().nullable(),
    }),
  ),
});
export type BackupVerification = z.infer<typeof BackupVerification>;

const RestoreId = z.string().regex(/^rst_[0-9A-Za-z]{20}$/);

export const BackupRestore = z.object({
  id: RestoreId,
  generation: Generation,
  reason: z.string(),
  requestedBy: z.string().describe('API key'),
  requestedAt: Time,
  approvedBy: z.string().nullable().describe('API key, another one'),
  approvedAt: Time.nullable(),
  executedAt: Time.nullable(),
  receipt: z.string().nullable().describe('Compact JWS'),
});
export type BackupRestore = z.infer<typeof BackupRestore>;

export const BackupRestores = z.object({ restores: z.array(BackupRestore) });
export type BackupRestores = z.infer<typeof BackupRestores>;

export const RequestRestore = z.strictObject({
  generation: Generation,
  reason: z.string().trim().min(5).max(500),
});

export const BackupLog = z.object({
  isIntact: z.boolean().describe('Whether each entry follows from the one before'),
  entries: z.array(
    z.object({
      number: Count,
      at: Time,
      event: z.string(),
      actor: z.string().nullable().describe('Account; null for the schedule and the console'),
      generation: Generation.nullable(),
      outcome: z.string(),
      reason: z.string().nullable(),
      hash: z.string().describe('SHA-256, hex'),
    }),
  ),
});
export type BackupLog = z.infer<typeof BackupLog>;

export const backupRoutes = {
  listBackups: {
    method: 'GET',
    path: '/api/v1/backups',
    summary: 'Generations of backups, oldest first',
    access: 'ownerKey',
    success: { status: 200, content: 'json', schema: BackupList },
    errors: [401, 403, 409],
  },
  makeBackup: {
    method: 'POST',
    path: '/api/v1/backups',
    summary: 'Make a backup now',
    access: 'ownerKey',
    success: { status: 201, content: 'json', schema: MadeBackup },
    errors: [401, 403, 409, 503],
  },
  verifyBackup: {
    method: 'POST',
    path: '/api/v1/backups/verifications',
    summary: 'Check a backup without reading it',
    access: 'ownerKey',
    body: VerifyBackup,
    success: { status: 200, content: 'json', schema: BackupVerification },
    errors: [400, 401, 403, 404, 409, 503],
  },
  listRestores: {
    method: 'GET',
    path: '/api/v1/backups/restores',
    summary: 'Restores that were asked for, newest first',
    access: 'ownerKey',
    success: { status: 200, content: 'json', schema: BackupRestores },
    errors: [401, 403, 409],
  },
  requestRestore: {
    method: 'POST',
    path: '/api/v1/backups/restores',
    summary: 'Ask for a restore, which a second person has to approve',
    access: 'ownerKey',
    body: RequestRestore,
    success: { status: 201, content: 'json', schema: BackupRestore },
    errors: [400, 401, 403, 404, 409],
  },
  approveRestore: {
    method: 'POST',
    path: '/api/v1/backups/restores/{restoreId}/approval',
    summary: 'Approve a restore, as the second person',
    access: 'ownerKey',
    params: z.object({ restoreId: RestoreId }),
    success: { status: 200, content: 'json', schema: BackupRestore },
    errors: [400, 401, 403, 404, 409],
  },
  getBackupLog: {
    method: 'GET',
    path: '/api/v1/backups/log',
    summary: 'Every access to backups, hash-chained',
    access: 'ownerKey',
    success: { status: 200, content: 'json', schema: BackupLog },
    errors: [401, 403, 409],
  },
} as const satisfies Record<string, Route>;
