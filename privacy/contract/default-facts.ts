import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatementFacts } from '../../server/privacy-statement/statement.ts';
import { root } from './sources.ts';

/** An installation without any setting. */
export const DEFAULT_FACTS: StatementFacts = {
  version: (JSON.parse(readFileSync(join(root, 'server/package.json'), 'utf8')) as { version: string })
    .version,
  controller: null,
  hasSwap: false,
  modelSources: [],
  sandbox: 'bubblewrap',
  callRetentionDays: 30,
  tokenHours: 24,
  sessionHours: 12,
  signInProvider: null,
  mailServer: null,
  models: [],
  backupStore: null,
  backupDays: null,
  receiptKeys: '/.well-known/jellyfaas-receipts',
};
