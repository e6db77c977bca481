import { accountRows, functionRows, keyRows } from './account-stores.ts';
import { backupRows } from './backup-stores.ts';
import { callRows, databaseRows, sqlRows, vectorRows } from './content-stores.ts';
import type { DataRow } from './row.ts';
import { customerRows, siteRows } from './visitor-stores.ts';

/** Every column that lasts, of every store. */
export const DATA_MAP: readonly DataRow[] = [
  ...accountRows,
  ...keyRows,
  ...functionRows,
  ...callRows,
  ...databaseRows,
  ...vectorRows,
  ...sqlRows,
  ...siteRows,
  ...customerRows,
  ...backupRows,
];
