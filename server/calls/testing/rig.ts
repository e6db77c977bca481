import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { createEventLog } from '../../kernel/events.ts';
import type { AccountId, DeploymentId, FunctionId } from '../../kernel/ids.ts';
import { type SourceTree, textFile } from '../../kernel/source-tree.ts';
import type { WorkerPlan } from '../../languages/language.ts';
import type { CallRecord } from '../call-record.ts';
import { type ConsoleFeed, createConsole } from '../console.ts';
import type { Deployment } from '../deployment.ts';
import { type Call, type Invoke, createInvoke } from '../invoke.ts';
import { type CallLimits, defaultCallLimits } from '../limits.ts';
import { noMetrics } from '../metrics.ts';
import { type Pool, createPool } from '../pool.ts';
import { type Recorder, createRecorder } from '../recorder.ts';
import { type Scheduler, systemScheduler } from '../../kernel/scheduler.ts';
import { type ProcessJail, createProcessJail, nodePlan } from './process-jail.ts';
import { NO_OBJECTIONS, UNRESTRICTED } from '../../rights/testing/nobody.ts';

export const ALICE = 'acct_alice' as AccountId;
export const BOB = 'acct_bob' as AccountId;

const PROBE = textFile(readFileSync(join(import.meta.dirname, 'fixtures/probe.mjs'), 'utf8'));

export function deploymentOf(changes: Partial<Deployment> = {}): Deployment {
  return {
    id: 'probe-00000000000000000000-1-s' as DeploymentId,
    functionId: 'fn_probe' as FunctionId,
    ownerId: ALICE,
    shortname: 'probe',
    version: 1,
    size: 's',
    runtime: 'nodejs24',
    layer: null,
    entrypoint: 'Example',
    published: true,
    egress: [],
    timeoutMs: 10_000,
    corsOrigins: [],
    ...changes,
  };
}

export interface RigOptions {
  readonly limits?: Partial<CallLimits>;
  readonly plan?: Partial<WorkerPlan>;
  readonly code?: (deployment: Deployment) => SourceTree;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

export interface Rig {
  readonly jail: ProcessJail;
  readonly pool: Pool;
  readonly console: ConsoleFeed;
  readonly recorder: Recorder;
  readonly records: CallRecord[];
  readonly events: string[];
  readonly limits: CallLimits;
  readonly invoke: Invoke;
  readonly call: (path: string, changes?: Partial<Call>) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
  /** The code of the error that the call ended with. */
  readonly errorCode: string | undefined;
  readonly errorMessage: string | undefined;
}

/** The whole call path over plain processes; only the jail and the store are stand-ins. */
export async function createRig(options: RigOptions = {}): Promise<Rig> {
  const { clock = systemClock, scheduler = systemScheduler } = options;
  const limits = { ...defaultCallLimits(), prebootTotal: 0, ...options.limits };
  const jail = await createProcessJail();
  const lines: string[] = [];
  const events = createEventLog(
    (line) => lines.push(line),
    () => clock.now(),
  );
  const records: CallRecord[] = [];
  const store = { append: async (_day: string, rows: readonly CallRecord[]) => void records.push(...rows) };
  const recorder = createRecorder({
    restriction: UNRESTRICTED,
    objections: NO_OBJECTIONS,
    store,
    clock,
    scheduler,
    events,
    limits,
  });
  const console = createConsole(scheduler);
  const pool = createPool({
    jail,
    languages: { worker: async () => nodePlan(options.plan) },
    loadCode: async (deployment) => options.code?.(deployment) ?? new Map([['index.mjs', PROBE]]),
    limits,
    clock,
    scheduler,
    events,
    console,
    metrics: noMetrics,
  });
  const invoke = createInvoke({ pool, recorder, clock, scheduler, metrics: noMetrics });
  return {
    jail,
    pool,
    console,
    recorder,
    records,
    events: lines,
    limits,
    invoke,
    call: (path, changes) => collect(invoke, callOf(clock, path, changes)),
    async close() {
      await pool.close();
      await recorder.close();
      await jail.close();
    },
  };
}

export function callOf(clock: Clock, path: string, changes: Partial<Call> = {}): Call {
  return {
    deployment: deploymentOf(),
    caller: ALICE,
    originIp: '192.0.2.1',
    arrivedAt: clock.monotonicMs(),
    request: { method: 'GET', path, headers: ['Host', 'test'], body: null },
    ...changes,
  };
}

export function collect(invoke: Invoke, call: Call): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let head: string[] = [];
    const end = (error?: { code: string; message: string }) =>
      resolve({
        status,
        headers: head,
        body: Buffer.concat(chunks).toString(),
        errorCode: error?.code,
        errorMessage: error?.message,
      });
    invoke(call, {
      onStart(answered, _reason, headers) {
        status = answered;
        head = headers;
      },
      onData(chunk) {
        chunks.push(chunk);
        return true;
      },
      onEnd: () => end(),
      onError: end,
    });
  });
}
