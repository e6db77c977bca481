import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { createEventLog } from '../kernel/events.ts';
import type { DeploymentId } from '../kernel/ids.ts';
import type { BuiltFunction } from '../languages/language.ts';
import { type Languages, openLanguages } from '../languages/languages.ts';
import { buildRequest, sourceOf } from '../languages/testing.ts';
import type { Jail } from '../sandbox/jail.ts';
import { openTestJail } from '../sandbox/testing.ts';
import { createConsole } from './console.ts';
import type { Deployment } from './deployment.ts';
import { type Invoke, createInvoke } from './invoke.ts';
import { defaultCallLimits } from './limits.ts';
import { noMetrics } from './metrics.ts';
import { type Pool, createPool } from './pool.ts';
import { createRecorder } from './recorder.ts';
import { systemScheduler } from '../kernel/scheduler.ts';
import { type Answer, BOB, callOf, collect, deploymentOf } from './testing/rig.ts';
import { NO_OBJECTIONS, UNRESTRICTED } from '../rights/testing/nobody.ts';

/** The pool over real jails and the real Node worker. */
const CODE = `
const functions = require('@google-cloud/functions-framework');
let calls = 0;
functions.http('Example', (req, res) => {
  calls++;
  const { action } = req.query;
  if (action === 'crash') process.exit(1);
  if (action === 'oom') { const held = []; for (;;) held.push(Buffer.alloc(8 << 20, 1)); }
  if (action === 'spin') for (;;);
  if (action === 'hang') return;
  res.send(action === 'count' ? String(calls) : 'hello');
});`;

let jail: Jail;
let layers: string;
let languages: Languages;
let built: BuiltFunction;
let pool: Pool;
let invoke: Invoke;
let deployment: Deployment;

beforeAll(async () => {
  jail = await openTestJail();
  layers = await mkdtemp(join(tmpdir(), 'layers-'));
  languages = await openLanguages({ jail, layerDirectory: layers });
  const request = buildRequest('nodejs24', sourceOf({ 'index.js': CODE }));
  built = (await languages.find('nodejs24')?.build(request)) as BuiltFunction;
  deployment = deploymentOf({ layer: built.layer });
  const limits = { ...defaultCallLimits(), abandonMs: 200 };
  const shared = { clock: systemClock, scheduler: systemScheduler, limits, metrics: noMetrics };
  const events = createEventLog(() => undefined, Date.now);
  pool = createPool({
    ...shared,
    jail,
    languages,
    loadCode: async () => built.code,
    events,
    console: createConsole(systemScheduler),
  });
  const recorder = createRecorder({
    ...shared,
    restriction: UNRESTRICTED,
    objections: NO_OBJECTIONS,
    store: { append: async () => undefined },
    events,
  });
  invoke = createInvoke({ ...shared, pool, recorder });
});

afterAll(async () => {
  await pool.close();
  await jail.close();
  await rm(layers, { recursive: true });
});

const call = (path: string, changes: Partial<Deployment> = {}): Promise<Answer> =>
  collect(invoke, callOf(systemClock, path, { deployment: { ...deployment, ...changes } }));

describe('a jailed function', () => {
  it('answers its first hundred calls at once without an error', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('/')));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 hello']));
  });

  it('is another instance for another account', async () => {
    const path = '/?action=count';
    const first = await collect(invoke, callOf(systemClock, path, { deployment, caller: BOB }));
    expect(first.body).toBe('1');
  });

  it('has crash, memory exhaustion and timeouts told apart, and serves again after each', async () => {
    const hasty = { timeoutMs: 500 };
    expect((await call('/?action=crash')).errorCode).toBe('calls.function_crashed');
    expect((await call('/')).body).toBe('hello');
    expect((await call('/?action=oom')).errorCode).toBe('calls.function_out_of_memory');
    expect((await call('/')).body).toBe('hello');
    expect((await call('/?action=hang', hasty)).errorCode).toBe('calls.function_timeout');
    expect((await call('/')).body).toBe('hello');
    expect((await call('/?action=spin', hasty)).errorCode).toBe('calls.function_timeout');
    expect((await call('/')).body).toBe('hello');
  });

  it('is served by a pre-booted worker that knew nobody', async () => {
    while (pool.status().warm === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const fresh = { id: 'fresh-00000000000000000000-1-s' as DeploymentId };
    expect((await call('/?action=count', fresh)).body).toBe('1');
  });
});
