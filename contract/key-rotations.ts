import * as z from 'zod';
import type { Route } from './route.ts';
import { Count } from './scalars.ts';

/** Other keys for what lies on disk, while the installation runs. Keys themselves are in no answer. */

const Receipt = z.string().describe('Compact JWS by the installation');

export const InstallationKeysRotated = z.object({
  rootGeneration: Count.describe('How often there was a root key'),
  wraps: Count.describe('Keys wrapped anew under it'),
  stores: Count.describe('Files encrypted anew'),
  backup: Count.nullable().describe(
    'The generation made with the new keys, without which earlier ones are of no use; null where none are made',
  ),
  receipt: Receipt,
});
export type InstallationKeysRotated = z.infer<typeof InstallationKeysRotated>;

export const AccountKeysRotated = z.object({
  wraps: Count.describe('Keys wrapped anew under the new key of the account'),
  databases: Count.describe('Vector and SQL databases encrypted anew'),
  conversations: z.boolean().describe('Whether there was a file of conversations to encrypt anew'),
  knowledge: Count.describe('Knowledge of assistants, one each, encrypted anew'),
  code: Count.describe('Files of functions encrypted anew: code, what it was compiled from, pending uploads'),
  receipt: Receipt,
});
export type AccountKeysRotated = z.infer<typeof AccountKeysRotated>;

export const keyRotationRoutes = {
  rotateInstallationKeys: {
    method: 'POST',
    path: '/api/v1/installation/key-rotations',
    summary: 'Another root key, and other keys for the stores of the installation',
    access: 'ownerKey',
    fresh: true,
    success: { status: 201, content: 'json', schema: InstallationKeysRotated },
    errors: [401, 403, 409, 503],
  },
  rotateAccountKeys: {
    method: 'POST',
    path: '/api/v1/key-rotations',
    summary:
      'Another key for the account, and for each of its databases, its conversations, knowledge and code',
    access: 'key',
    fresh: true,
    success: { status: 201, content: 'json', schema: AccountKeysRotated },
    errors: [401, 403, 409, 503],
  },
} as const satisfies Record<string, Route>;
