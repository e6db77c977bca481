import { afterEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { systemClock } from '../kernel/clock.ts';
import type { DeploymentId, FunctionId } from '../kernel/ids.ts';
import { textFile } from '../kernel/source-tree.ts';
import type { ConsoleLine } from './console.ts';
import { createManualTime } from './testing/manual-time.ts';
import {
  ALICE,
  BOB,
  type Rig,
  type RigOptions,
  callOf,
  collect,
  createRig,
  deploymentOf,
} from './testing/rig.ts';

let rig: Rig;
const start = async (options?: RigOptions): Promise<Rig> => (rig = await createRig(options));
afterEach(() => rig.close());

const failing = (message: string) => () =>
  new Map([['index.mjs', textFile(`throw new Error(${JSON.stringify(message)});`)]]);

/** Lets everything that is under way in the event loop happen until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('instances', () => {
  it('are never shared between two calling accounts', async () => {
    const { call } = await start();
    await call('/?do=remember&what=secret-of-alice');
    const bob = await call('/?do=remember&what=mine', { caller: BOB });
    expect(JSON.parse(bob.body)).toEqual(['mine']);
    expect((await call('/?do=pid')).body).not.toBe((await call('/?do=pid', { caller: BOB })).body);
  });

  it('are never shared between two versions', async () => {
    const { call } = await start();
    const second = deploymentOf({ id: 'probe-00000000000000000000-2-s' as DeploymentId, version: 2 });
    await call('/?do=remember&what=one');
    expect(JSON.parse((await call('/?do=remember&what=two', { deployment: second })).body)).toEqual(['two']);
  });

  it('serve a hundred simultaneous first calls without an error', async () => {
    const { call, pool } = await start({ plan: { concurrency: 1 } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('/')));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 hello']));
    expect(pool.status().live).toBeLessThanOrEqual(4);
  });

  it('never take more calls at a time than the runtime allows', async () => {
    const { call } = await start({
      plan: { concurrency: 2 },
      limits: { instancesPerKeyMax: 1, waitingPerKeyMax: 3 },
    });
    await call('/');
    const calls = Array.from({ length: 6 }, () => call('/?do=slow&ms=50'));
    const codes = (await Promise.all(calls)).map(({ errorCode }) => errorCode ?? 'answered');
    expect(codes.filter((code) => code === 'answered')).toHaveLength(5);
    expect(codes.filter((code) => code === 'calls.overloaded')).toHaveLength(1);
  });

  it('end when they were idle for the idle time, and the next call starts anew', async () => {
    const time = createManualTime();
    const { call, pool, jail } = await start({ clock: time, scheduler: time });
    const first = await call('/?do=pid');
    time.advance(rig.limits.idleMs + rig.limits.idleMs / 4);
    await until(() => jail.running.size === 0);
    expect(pool.status().live).toBe(0);
    expect((await call('/?do=pid')).body).not.toBe(first.body);
  });

  it('make room for others when the memory of the pool is given out', async () => {
    const { call, pool, events } = await start({ limits: { poolMemoryMib: 256 } });
    await call('/');
    const other = deploymentOf({ id: 'other-00000000000000000000-1-s' as DeploymentId });
    expect((await call('/', { deployment: other })).body).toBe('hello');
    expect(pool.instancesOf(other.id, other.ownerId)).toBe(1);
    expect(pool.instancesOf(deploymentOf().id, other.ownerId)).toBe(0);
    expect(pool.status().live).toBe(1);
    expect(events.join('')).toContain('pool.exhausted');
  });

  it('boot with a raised CPU quota and never without a memory limit', async () => {
    const { call, jail } = await start();
    await call('/', { deployment: deploymentOf({ size: 'm', egress: ['api.example.com'] }) });
    expect(jail.started[0]?.limits).toEqual({ memoryMib: 512, tasks: 128, cpuPercent: 200, tmpMib: 128 });
    expect(jail.started[0]?.egress).toEqual({ kind: 'public', hosts: ['api.example.com'] });
  });
});

describe('pre-booted workers', () => {
  it('are kept for a primed flavour and claimed by its first call', async () => {
    const { pool, jail, call } = await start({ limits: { prebootTotal: 6 } });
    pool.prime(deploymentOf());
    await until(() => pool.status().warm === 2);
    expect((await call('/')).body).toBe('hello');
    await until(() => pool.status().warm === 2);
    expect(jail.started).toHaveLength(3);
  });

  it('are bounded in all, at the cost of the flavour used longest ago', async () => {
    const { pool } = await start({ limits: { prebootTotal: 2, prebootPerFlavour: 1 } });
    for (const size of ['s', 'm', 'l'] as const) {
      pool.prime(deploymentOf({ size }));
      await until(() => pool.status().warm === (size === 's' ? 1 : 2));
    }
    await until(() => rig.jail.running.size === 2 && rig.jail.started.length === 3);
    expect([...rig.jail.running].length).toBe(2);
  });

  it('serve any account, but each only one', async () => {
    const { pool, call, jail } = await start({ limits: { prebootTotal: 2 } });
    pool.prime(deploymentOf());
    await until(() => pool.status().warm === 2);
    await Promise.all([call('/'), call('/', { caller: BOB })]);
    expect(new Set([...jail.running].map(({ pid }) => pid)).size).toBe(jail.running.size);
    expect(pool.status().live).toBe(2);
  });
});

describe('a function that fails', () => {
  it('is told apart: crash, memory, loading, broken answer', async () => {
    const { call } = await start();
    expect((await call('/?do=crash')).errorCode).toBe('calls.function_crashed');
    expect((await call('/?do=oom')).errorCode).toBe('calls.function_out_of_memory');
    expect((await call('/?do=raw&bytes=nonsense')).errorCode).toBe('calls.function_bad_response');
    const cut = await call('/?do=cutAfter');
    expect([cut.status, cut.errorCode]).toEqual([200, 'calls.function_crashed']);
  });

  it('shows why it does not load to its owner and to nobody else', async () => {
    const { call } = await start({ code: failing('my secret reason') });
    const owner = await call('/');
    expect([owner.errorCode, owner.errorMessage]).toEqual([
      'calls.function_start_failed',
      expect.stringContaining('my secret reason'),
    ]);
    expect((await call('/', { caller: BOB })).errorMessage).not.toContain('my secret reason');
  });

  it('is not started again and again: after three failures calls are refused for a while', async () => {
    const time = createManualTime();
    const { call, jail } = await start({ code: failing('broken'), clock: time, scheduler: time });
    for (let i = 0; i < 6; i++) expect((await call('/')).errorCode).toBe('calls.function_start_failed');
    expect(jail.started).toHaveLength(3);
    time.advance(60_000);
    await call('/');
    expect(jail.started).toHaveLength(4);
  });

  it('does not keep the calls after a crash from being answered', async () => {
    const { call } = await start();
    await Promise.all([call('/'), call('/?do=crash')]);
    expect((await call('/')).body).toBe('hello');
  });
});

describe('smokeTest', () => {
  it('rejects with the load message', async () => {
    const { pool } = await start({ code: failing('no such module') });
    await expect(pool.smokeTest(deploymentOf(), new AbortController().signal)).rejects.toThrow(
      'no such module',
    );
  });

  it('leaves the instance to its owner', async () => {
    const { pool, call, jail } = await start();
    await pool.smokeTest(deploymentOf(), new AbortController().signal);
    expect((await call('/?do=count')).body).toBe('1');
    expect(jail.started).toHaveLength(1);
  });

  it('ends with its signal', async () => {
    const { pool } = await start();
    await expect(pool.smokeTest(deploymentOf(), AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});

describe('retire', () => {
  it('lets running calls finish, ends the instance, and refuses those that wait', async () => {
    const { call, pool, jail } = await start({ plan: { concurrency: 1 }, limits: { instancesPerKeyMax: 1 } });
    await call('/');
    const running = call('/?do=slow&ms=100');
    const waiting = call('/');
    pool.retire(deploymentOf().id);
    expect((await waiting).errorCode).toBe('deployment.not_found');
    expect((await running).body).toBe('late');
    await until(() => jail.running.size === 0);
  });

  it('ends a call that goes on beyond the drain time', async () => {
    const time = createManualTime();
    const { call, pool, invoke } = await start({ clock: time, scheduler: time });
    const ended = new Promise<string>((resolve) => {
      const patient = deploymentOf({ timeoutMs: 2 * rig.limits.drainMs });
      invoke(callOf(time, '/?do=headOnly', { deployment: patient }), {
        onStart() {
          pool.retire(patient.id);
          time.advance(rig.limits.drainMs);
        },
        onData: () => true,
        onEnd: () => resolve('answered'),
        onError: ({ code }) => resolve(code),
      });
    });
    expect(await ended).toBe('calls.interrupted');
    expect((await call('/')).errorCode).toBe('deployment.not_found');
  });
});

describe('the console', () => {
  it("shows the owner his own calls' output, never that of other callers", async () => {
    const { call, console } = await start();
    const lines: ConsoleLine[] = [];
    const detach = console.attach(ALICE, deploymentOf().functionId, (line) => lines.push(line));
    console.attach(BOB, deploymentOf().functionId, (line) =>
      lines.push({ ...line, text: `BOB ${line.text}` }),
    );
    await call('/?do=print&text=of-bob', { caller: BOB });
    await call('/?do=print&text=of-alice');
    await until(() => lines.length === 2);
    expect(lines.toSorted((a, b) => a.stream.localeCompare(b.stream))).toEqual([
      { stream: 'stderr', text: 'error of-alice' },
      { stream: 'stdout', text: 'of-alice' },
    ]);
    detach();
    await call('/?do=print&text=unseen');
    expect(lines).toHaveLength(2);
  });

  it('keeps nothing for those who come later', async () => {
    const { call, console } = await start();
    await call('/?do=print&text=before');
    const lines: string[] = [];
    console.attach(ALICE, deploymentOf().functionId as FunctionId, ({ text }) => lines.push(text));
    await call('/?do=print&text=after');
    await until(() => lines.length === 2);
    expect(lines.join()).not.toContain('before');
  });
});

describe('a call', () => {
  it('that times out frees its place and spares the other calls of the instance', async () => {
    const { call, jail } = await start({ plan: { concurrency: 2 }, limits: { instancesPerKeyMax: 1 } });
    await call('/');
    const neighbour = call('/?do=slow&ms=150');
    const timed = await call('/?do=hang', { deployment: deploymentOf({ timeoutMs: 30 }) });
    expect(timed.errorCode).toBe('calls.function_timeout');
    expect((await neighbour).body).toBe('late');
    expect((await call('/')).body).toBe('hello');
    expect(jail.started).toHaveLength(1);
  });

  it('that keeps its instance spinning ends that instance, and the next call gets another', async () => {
    const { call, jail } = await start({ limits: { abandonMs: 50 } });
    await call('/');
    expect((await call('/?do=spin', { deployment: deploymentOf({ timeoutMs: 50 }) })).errorCode).toBe(
      'calls.function_timeout',
    );
    expect((await call('/')).body).toBe('hello');
    await until(() => jail.running.size === 1);
  });

  it('that is cancelled reaches the function as the end of its connection', async () => {
    const { invoke, call } = await start();
    await call('/');
    const { createServer } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const running = invoke(callOf(systemClock, `/?do=watch&port=${port}`), {
      onStart: () => undefined,
      onData: () => true,
      onEnd: () => undefined,
      onError: () => undefined,
    });
    const [line] = await once(server, 'connection');
    line.setEncoding('utf8');
    expect((await once(line, 'data'))[0]).toContain('started');
    running.cancel();
    expect((await once(line, 'data'))[0]).toContain('closed');
    server.close();
    await rig.recorder.flush();
    expect(rig.records.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it('whose body failed before it could be sent ends at once', async () => {
    const { call } = await start();
    const body = new Readable({ read: () => undefined });
    body.on('error', () => undefined).destroy(new Error('client gone'));
    const request = { method: 'POST', path: '/?do=echo', headers: ['Host', 'test'], body };
    expect((await call('/', { request })).errorCode).toBe('calls.cancelled');
    expect((await call('/')).body).toBe('hello');
  });

  it('leaves one record whatever its end, with exactly the allowed fields', async () => {
    const { call, recorder, records, invoke } = await start();
    await call('/?do=hello&secret=canary');
    await call('/?do=status&code=404');
    await call('/?do=crash');
    await call('/?do=hang', { deployment: deploymentOf({ timeoutMs: 30 }) });
    await collect(
      invoke,
      callOf(systemClock, '/', { request: { method: 'GET', path: '/ bad', headers: [], body: null } }),
    );
    await recorder.flush();
    expect(records.map(({ ok }) => ok)).toEqual([true, false, false, false, false]);
    for (const record of records) {
      expect(Object.keys(record).toSorted()).toEqual([
        'accountId',
        'durationMs',
        'functionId',
        'ok',
        'originIp',
        'version',
      ]);
      expect(Number.isInteger(record.durationMs)).toBe(true);
    }
    expect(JSON.stringify([records, rig.events])).not.toContain('canary');
  });
});
