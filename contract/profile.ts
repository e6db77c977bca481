import * as z from 'zod';
import { Me } from './api-v1.ts';
import type { Route } from './route.ts';
import { Count } from './scalars.ts';

/** What the platform holds of an account, read from the stores as they stand. */

/** Most rows of one table in one answer; `count` tells of all. */
export const PROFILE_ROWS_MAX = 200;

export const StoredColumn = z.object({
  name: z.string(),
  withheld: z
    .enum(['hash', 'key', 'sealed', 'elsewhere', 'unlisted'])
    .nullable()
    .describe(
      'Null: shown. `hash`: recognises, and cannot be turned back. `key`: opens something, wrapped. `sealed`: opens under the account key alone. `elsewhere`: shown by the pages and routes of its own. `unlisted`: unknown, which is a fault of the platform',
    ),
});
export type StoredColumn = z.infer<typeof StoredColumn>;

export const StoredValue = z
  .union([z.string(), z.number(), z.null(), z.object({ bytes: Count })])
  .describe('`{bytes}` is how much a withheld column holds');
export type StoredValue = z.infer<typeof StoredValue>;

export const StoredTable = z.object({
  store: z.string(),
  table: z.string(),
  count: Count.describe('Rows of the account'),
  columns: z.array(StoredColumn),
  rows: z
    .array(z.array(StoredValue))
    .describe(
      `In the order of the columns; at most ${PROFILE_ROWS_MAX}, and none of tables that are counted only`,
    ),
  days: z
    .array(z.object({ day: z.iso.date(), count: Count }))
    .optional()
    .describe('Of tables that are kept by day, newest first'),
});
export type StoredTable = z.infer<typeof StoredTable>;

export const Profile = z.object({ tables: z.array(StoredTable) });
export type Profile = z.infer<typeof Profile>;

export const profileRoutes = {
  getProfile: {
    method: 'GET',
    path: '/api/v1/profile',
    summary: 'Every item that is stored of the account, table by table and column by column',
    access: 'keyOrToken',
    ownAct: true,
    success: { status: 200, content: 'json', schema: Profile },
    errors: [401, 403],
  },
  updateMe: {
    method: 'PUT',
    path: '/api/v1/me',
    summary: 'Correct name and e-mail address; no identity provider overwrites them',
    access: 'key',
    fresh: true,
    body: z.strictObject({ name: z.string().max(400), email: z.string().max(1000) }),
    success: { status: 200, content: 'json', schema: Me },
    errors: [400, 401, 403, 409, 413, 415],
  },
} as const satisfies Record<string, Route>;
