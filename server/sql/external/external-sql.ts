import { createDeadline } from '../../engines/deadline.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { EventLog } from '../../kernel/events.ts';
import type { Scheduler } from '../../kernel/scheduler.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { Jail } from '../../sandbox/jail.ts';
import { sqlErrors } from '../errors.ts';
import type { SqlSource } from '../sql.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import { parseConnectionString } from './connection-string.ts';
import { externalErrors } from './external-errors.ts';
import { readResult, readSchema } from './session-values.ts';
import { type Session, type SessionLimits, type SessionRequest, startSession } from './session.ts';

/**
 * Outside MySQL, MariaDB and Postgres databases, reached from a jailed process that lives for one question and can
 * reach nothing but that host. Nothing of it is stored or logged (decision D10).
 */
export interface ExternalSql {
  /**
   * Understands Go's MySQL form (`user:pass@tcp(host:3306)/db?tls=…`), `mysql://` and `postgres://`. TLS is verified
   * unless the string itself says otherwise. Rejects with `sql.bad_connection`, `sql.address_refused`, `sql.unreachable`,
   * `sql.login_failed`, `sql.tls_failed`, `sql.too_powerful` (the account may do more than read and write rows),
   * `sql.busy`, `sql.cancelled`.
   */
  connect(connection: Secret, options: { readonly signal: AbortSignal }): Promise<SqlSource>;
  /** Ends every process. */
  close(): Promise<void>;
}

export interface ExternalSqlOptions {
  readonly jail: Pick<Jail, 'start'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  /** The setting `sqlAllowedHosts`. */
  readonly allowedHosts: AllowedHosts;
  /** PEM file of authorities that databases' certificates may come from, beside the system's. */
  readonly caFile?: string | undefined;
  readonly limits?: Partial<ExternalSqlLimits>;
}

export interface ExternalSqlLimits extends SessionLimits {
  /** From the connection string to the end of the login. */
  readonly connectMs: number;
  /** All work of one question together; a model's thinking does not count. */
  readonly workMs: number;
  /** Processes at a time; one more question is refused with `sql.busy`. */
  readonly processesMax: number;
}

export const EXTERNAL_SQL_LIMITS: ExternalSqlLimits = {
  statementMs: 5000,
  connectMs: 10_000,
  workMs: 15_000,
  rowsMax: 1000,
  bytesMax: 1 << 20,
  processesMax: 16,
};

/** The database's own timeout comes first where it works: then the connection stays, and a statement can be repaired. */
const OWN_DEADLINE_SLACK_MS = 100;

export function createExternalSql(options: ExternalSqlOptions): ExternalSql {
  const limits = { ...EXTERNAL_SQL_LIMITS, ...options.limits };
  const sessions = new Set<Session>();

  function open(connection: Secret): Session {
    const target = parseConnectionString(connection.reveal());
    if (sessions.size >= limits.processesMax) throw externalErrors.busy();
    const session = startSession({ ...options, limits }, target);
    sessions.add(session);
    void session.ended.then(() => sessions.delete(session));
    return session;
  }

  return {
    async connect(connection, { signal }) {
      if (signal.aborted) throw sqlErrors.cancelled();
      const session = open(connection);
      const timed = createTimed(options, { session, signal, workMs: limits.workMs });
      try {
        await timed(limits.connectMs, externalErrors.unreachable, () => session.request({ method: 'open' }));
      } catch (error) {
        await session.end();
        throw error;
      }
      const boundMs = limits.statementMs + OWN_DEADLINE_SLACK_MS;
      const ask = (request: SessionRequest): Promise<unknown> =>
        timed(boundMs, externalErrors.timeout, () => session.request(request));
      return {
        dialect: session.dialect,
        schema: async (tables) => readSchema(await ask({ method: 'schema', tables })),
        read: async (sql, tables) => readResult(await ask({ method: 'read', sql, tables })),
        close: () => session.end(),
      };
    },
    async close() {
      await Promise.all([...sessions].map((session) => session.end()));
    },
  };
}

type Timed = <T>(boundMs: number, late: () => Error, work: () => Promise<T>) => Promise<T>;

/**
 * Runs pieces of one question's work, each by its own bound and by what is left of the question's. Whoever waits is
 * told at once when time is up or the caller leaves, and the session ends.
 */
function createTimed(
  { clock, scheduler }: Pick<ExternalSqlOptions, 'clock' | 'scheduler'>,
  { session, signal, workMs }: { session: Session; signal: AbortSignal; workMs: number },
): Timed {
  let leftMs = workMs;
  const endingWith = (error: Error): Error => {
    void session.end();
    return error;
  };
  return async (boundMs, late, work) => {
    const from = clock.monotonicMs();
    const deadline = createDeadline({
      scheduler,
      delayMs: Math.max(Math.min(boundMs, leftMs), 0),
      signal,
      timeout: () => endingWith(late()),
      cancelled: () => endingWith(sqlErrors.cancelled()),
    });
    try {
      return await deadline.race(work());
    } finally {
      deadline.close();
      leftMs -= clock.monotonicMs() - from;
    }
  };
}
