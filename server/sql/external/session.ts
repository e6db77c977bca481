import { fileURLToPath } from 'node:url';
import { type Engine, startEngine } from '../../engines/engine.ts';
import { within } from '../../kernel/scheduler.ts';
import type { JailSpec } from '../../sandbox/jail.ts';
import { egressTo } from './allowed-hosts.ts';
import type { Target } from './connection-string.ts';
import { externalErrors, externalFailure, type Failure } from './external-errors.ts';
import type { ExternalSqlOptions } from './external-sql.ts';

/** What the jailed process is asked. Connection and limits come with `open`, on the control socket and nowhere else. */
export type SessionRequest =
  | { readonly method: 'open' }
  | { readonly method: 'schema'; readonly tables: readonly string[] }
  | { readonly method: 'read'; readonly sql: string; readonly tables: readonly string[] };

export interface SessionLimits {
  /** Of one statement, the database's own timeout. */
  readonly statementMs: number;
  /** Rows and bytes (of JSON) of one result; what is beyond is cut. */
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** One jailed process with a database on the other side. */
export interface Session {
  readonly dialect: Target['dialect'];
  /** One at a time. Rejects with `sql.*`; what it resolves with comes from the jail and is to be checked. */
  request(request: SessionRequest): Promise<unknown>;
  /** Ends the process; first, where a statement runs, the session in the database. */
  end(): Promise<void>;
  readonly ended: Promise<void>;
}

type SessionParts = Pick<
  ExternalSqlOptions,
  'jail' | 'clock' | 'scheduler' | 'events' | 'allowedHosts' | 'caFile'
> & { readonly limits: SessionLimits };

type SessionFrame = { readonly t: 'done'; readonly value?: unknown } | ({ readonly t: 'failed' } & Failure);

const GUEST = fileURLToPath(new URL('../../../guest/sql', import.meta.url));
const HOME = '/opt/jellyfaas/sql';
const NODE = '/opt/jellyfaas/bin/node';
const CA_FILE = '/opt/jellyfaas/ca.pem';
const LOAD_MS = 10_000;
/** A result in JSON, with what escapes and names add to it. */
const LINE_CHARACTERS_MAX = 8 << 20;
/** What a connection of its own takes to tell the database that its statement is not wanted any more. */
const CANCEL_MS = 700;

function jailSpec(target: Target, { allowedHosts, caFile }: SessionParts): JailSpec {
  return {
    // The optimizing compiler would take 100 MB for a parser that runs a few times.
    argv: [NODE, '--liftoff-only', '--use-system-ca', `${HOME}/session.mjs`],
    env: caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: CA_FILE },
    binds: [
      { source: process.execPath, target: NODE },
      { source: GUEST, target: HOME },
      ...(caFile === undefined ? [] : [{ source: caFile, target: CA_FILE }]),
    ],
    limits: { memoryMib: 256, tasks: 32, cpuPercent: 100, tmpMib: 1 },
    egress: egressTo(target, allowedHosts),
  };
}

export function startSession(parts: SessionParts, target: Target): Session {
  const { scheduler, limits } = parts;
  const engine = startEngine<SessionFrame>(parts, {
    process: jailSpec(target, parts),
    load: { dialect: target.dialect },
    loadMs: LOAD_MS,
    frames: { ready: {}, unloadable: {}, done: {}, failed: { code: 'string' } },
    lastFrames: ['done', 'failed'],
    lineCharactersMax: LINE_CHARACTERS_MAX,
    errors: {
      notLoaded: externalErrors.notStarted,
      outOfMemory: () => externalFailure({ code: 'sql.failed', reason: 'too_large' }),
      crashed: externalErrors.unreachable,
    },
  });
  const ended = Promise.withResolvers<void>();
  let running: number | undefined;
  let lastId = 0;
  let ending: Promise<void> | undefined;

  async function stop(): Promise<void> {
    const started = await engine.catch(() => undefined);
    if (started !== undefined && running !== undefined) {
      started.cancel(running);
      await within(scheduler, CANCEL_MS, started.exited);
    }
    await started?.stop();
    ended.resolve();
  }

  return {
    dialect: target.dialect,
    async request(request) {
      const started = await engine;
      if (ending !== undefined) throw externalErrors.timeout();
      const id = ++lastId;
      running = id;
      try {
        return await answerOf(started, {
          ...request,
          ...(request.method === 'open' && { target, limits }),
          id,
        });
      } finally {
        running = undefined;
      }
    },
    end: () => (ending ??= stop()),
    ended: ended.promise,
  };
}

function answerOf(engine: Engine<SessionFrame>, request: { id: number; sql?: string }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    engine.request(request, {
      onFrame: (frame) =>
        frame.t === 'done' ? resolve(frame.value) : reject(externalFailure(frame, request.sql)),
      onEnd: reject,
    });
  });
}
