import type { EventFields, EventName } from '../kernel/events.ts';

type LogFields = { readonly [E in EventName]: Readonly<Record<keyof EventFields<E>, string>> };

/**
 * What each field of each event of the log says. All of it goes to standard output, none to a file, and none of it tells of
 * a person: the forms in `kernel/events.ts` have no room for it.
 */
export const LOG_FIELDS: LogFields = {
  'server.started': {
    port: 'Port of the listener',
    host: 'Address of the listener, the machine’s own',
    version: 'Version of the platform',
    sandbox: 'Kind of sandbox',
    took: 'Time to start',
  },
  'server.stopping': { signal: 'Which signal ends it' },
  'server.stopped': { took: 'Time to stop' },
  'server.limitation': { code: 'What the host cannot enforce' },
  'server.failed': { code: 'What failed', area: 'In which part of the server' },
  'request.failed': {
    code: 'Code of the error, from the list of errors',
    area: 'In which part of the server',
  },
  'build.started': { runtime: 'Which runtime' },
  'build.finished': { runtime: 'Which runtime', ok: 'Whether it succeeded', took: 'Time taken' },
  'build.resumed': { count: 'How many builds go on after a restart' },
  'instance.started': { runtime: 'Which runtime', took: 'Time to start' },
  'instance.ended': { runtime: 'Which runtime', reason: 'Why, from a list' },
  'model.started': { took: 'Time to start' },
  'model.ended': { reason: 'Why, from a list' },
  'embedder.started': { took: 'Time to start' },
  'embedder.ended': { reason: 'Why, from a list' },
  'sql.started': { took: 'Time to start' },
  'sql.ended': { reason: 'Why, from a list' },
  'vectors.started': {},
  'vectors.ended': {},
  'pool.exhausted': { live: 'How many instances run' },
  'egress.refused': { code: 'Why, from a list; never where to' },
  'mail.failed': {},
  'keys.rotated': { scope: 'Of the installation or of an account', count: 'How many keys were wrapped anew' },
  'backup.made': { files: 'How many files', bytes: 'How many bytes were new', took: 'Time taken' },
  'backup.failed': { code: 'What failed, from the list of errors' },
  'backup.removed': { count: 'How many generations ended' },
  'aimee.expired': { count: 'How many conversations ended by their site’s limit' },
  'calls.flushed_late': { took: 'Time taken', rows: 'How many records' },
  'calls.partition_expired': { count: 'How many days of records ended' },
  'calls.partition_ahead': { count: 'How many days of records lie in the future: a clock was or is wrong' },
  'rights.request_waits': { day: 'How many days into its last month a request still waits' },
  'rights.copy_incomplete': { count: 'How many parts of a copy could not be read' },
  'rights.retention_rests': {
    area: 'Calls or conversations',
    count: 'How many days of records, or customers, are kept because their use is restricted',
  },
  'rights.erasure_resumed': { count: 'How many interrupted erasures were finished' },
  'rights.erasure_unfinished': { count: 'How many erasures could not be finished yet' },
  'store.migrated': { store: 'Which store', applied: 'How many migrations' },
};
