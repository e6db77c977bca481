import { TECHNICAL, describeMigrations, describeTable } from './row.ts';

const OF_THE_INSTALLATION = {
  ...TECHNICAL,
  useCase: 'backups',
  retention: 'As long as the installation',
  eraser: 'none: tells of nobody, and proves what was done to backups',
} as const;

/** Which backups there are, and who did what to them. */
export const backupRows = [
  ...describeMigrations('backups', 'backups'),
  ...describeTable({
    store: 'backups',
    table: 'generation',
    ...OF_THE_INSTALLATION,
    purpose: 'Know which generations must be in the target, and that none was exchanged',
    columns: { number: 'technical', at: 'time', manifest: 'technical', removed_at: 'time' },
  }),
  ...describeTable({
    store: 'backups',
    table: 'restore_request',
    ...OF_THE_INSTALLATION,
    purpose: 'Let two people decide on a restore, and show who did and why',
    columns: {
      id: 'technical',
      generation: 'technical',
      reason: 'settings',
      requested_by: 'identifier',
      requested_at: 'time',
      approved_by: 'identifier',
      approved_at: 'time',
      executed_at: 'time',
      receipt: 'technical',
    },
  }),
  ...describeTable({
    store: 'backups',
    table: 'access',
    useCase: 'backups',
    subject: 'account holder',
    basis: 'Art. 6(1)(f) GDPR: legitimate interest',
    recipients: [],
    purpose: 'Account for every access to backups; each entry carries the hash of the one before',
    retention: 'As long as the installation',
    exporter: 'route:getBackupLog',
    eraser:
      'none: Art. 17(3)(e) GDPR, an entry taken out would break the proof of the others; an id without its account',
    restrictor: 'none: only grows, and is read by the owner of the installation alone',
    columns: {
      number: 'technical',
      at: 'time',
      event: 'technical',
      actor: 'identifier',
      generation: 'technical',
      outcome: 'technical',
      reason: 'settings',
      hash: 'technical',
    },
  }),
];
