/**
 * Platform logs are typed events from this list and nothing else. Each field is declared with what it may
 * hold; an unknown event or field, or a value of another form, is dropped and counted. No field can hold free
 * text that a caller, a function or a model produced.
 */
type FieldKind = 'count' | 'milliseconds' | 'code' | 'id' | 'flag' | 'version' | 'address';

export const EVENTS = {
  'server.started': {
    port: 'count',
    host: 'address',
    version: 'version',
    sandbox: 'code',
    took: 'milliseconds',
  },
  'server.stopping': { signal: 'code' },
  'server.stopped': { took: 'milliseconds' },
  'server.limitation': { code: 'code' },
  'server.failed': { code: 'code', area: 'code' },
  'request.failed': { code: 'code', area: 'code' },
  'build.started': { runtime: 'code' },
  'build.finished': { runtime: 'code', ok: 'flag', took: 'milliseconds' },
  'build.resumed': { count: 'count' },
  'instance.started': { runtime: 'code', took: 'milliseconds' },
  'instance.ended': { runtime: 'code', reason: 'code' },
  'model.started': { took: 'milliseconds' },
  'model.ended': { reason: 'code' },
  'embedder.started': { took: 'milliseconds' },
  'embedder.ended': { reason: 'code' },
  'sql.started': { took: 'milliseconds' },
  'sql.ended': { reason: 'code' },
  'vectors.started': {},
  'vectors.ended': {},
  'pool.exhausted': { live: 'count' },
  'egress.refused': { code: 'code' },
  'mail.failed': {},
  'aimee.expired': { count: 'count' },
  'calls.flushed_late': { took: 'milliseconds', rows: 'count' },
  'calls.partition_expired': { count: 'count' },
  'calls.partition_ahead': { count: 'count' },
  'keys.rotated': { scope: 'code', count: 'count' },
  'backup.made': { files: 'count', bytes: 'count', took: 'milliseconds' },
  'backup.failed': { code: 'code' },
  'backup.removed': { count: 'count' },
  'rights.request_waits': { day: 'count' },
  'rights.copy_incomplete': { count: 'count' },
  'rights.retention_rests': { area: 'code', count: 'count' },
  'rights.erasure_resumed': { count: 'count' },
  'rights.erasure_unfinished': { count: 'count' },
  'store.migrated': { store: 'code', applied: 'count' },
} as const satisfies Record<string, Record<string, FieldKind>>;

export type EventName = keyof typeof EVENTS;
export type EventFields<N extends EventName> = {
  readonly [F in keyof (typeof EVENTS)[N]]?: string | number | boolean;
};

const FORMS: Record<FieldKind, (value: unknown) => boolean> = {
  count: (v) => Number.isSafeInteger(v),
  milliseconds: (v) => typeof v === 'number' && Number.isFinite(v),
  code: (v) => typeof v === 'string' && /^[a-z0-9_.-]{1,64}$/i.test(v),
  id: (v) => typeof v === 'string' && /^[a-z]{2,5}_[0-9A-Za-z]{20}$/.test(v),
  flag: (v) => typeof v === 'boolean',
  version: (v) => typeof v === 'string' && /^\d+\.\d+\.\d+$/.test(v),
  address: (v) => typeof v === 'string' && /^[0-9a-f.:]{2,45}$/i.test(v),
};

export interface EventLog {
  emit<N extends EventName>(name: N, fields?: EventFields<N>): void;
  /** How many events or fields were dropped because they are not on the list. */
  dropped(): number;
}

/** Writes one JSON line per event to `write`; `now` is the wall clock in milliseconds. */
export function createEventLog(write: (line: string) => void, now: () => number): EventLog {
  let droppedCount = 0;
  return {
    emit(name, fields = {}) {
      const form: Record<string, FieldKind> | undefined = EVENTS[name];
      if (form === undefined) {
        droppedCount++;
        return;
      }
      const line: Record<string, unknown> = { at: new Date(now()).toISOString(), event: name };
      for (const [field, value] of Object.entries(fields)) {
        const kind = Object.hasOwn(form, field) ? form[field] : undefined;
        if (kind !== undefined && FORMS[kind](value)) line[field] = value;
        else droppedCount++;
      }
      write(`${JSON.stringify(line)}\n`);
    },
    dropped: () => droppedCount,
  };
}
