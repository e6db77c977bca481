import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { systemScheduler } from '../kernel/scheduler.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import type { CallRecord } from './call-record.ts';
import { createRecorder } from './recorder.ts';
import { type ManualTime, createManualTime } from './testing/manual-time.ts';
import { NO_OBJECTIONS, UNRESTRICTED } from '../rights/testing/nobody.ts';

const row = (version: number): CallRecord => ({
  accountId: 'acct_a' as AccountId,
  functionId: 'fn_a' as FunctionId,
  version,
  originIp: '::1',
  durationMs: 1,
  ok: true,
});

function rigOf(time: ManualTime = createManualTime()) {
  const appended: [day: string, versions: number[]][] = [];
  const events: string[] = [];
  const store = {
    isBroken: false,
    append: async (day: string, rows: readonly CallRecord[]) => {
      if (store.isBroken) throw new Error('disk full');
      appended.push([day, rows.map(({ version }) => version)]);
    },
  };
  const recorder = createRecorder({
    restriction: UNRESTRICTED,
    objections: NO_OBJECTIONS,
    store,
    clock: time,
    scheduler: time,
    events: { emit: (name) => void events.push(name), dropped: () => 0 },
    limits: { recordFlushMs: 100, recordFlushRows: 500, recordRowsMax: 1000 },
  });
  return { time, appended, events, store, recorder };
}

/** Lets pending promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the recorder', () => {
  it('writes in batches, by UTC day', async () => {
    const { time, appended, recorder } = rigOf(createManualTime(Date.UTC(2026, 10, 23, 23, 59, 59, 950)));
    recorder.add(row(1));
    time.advance(60);
    recorder.add(row(2));
    recorder.add(row(3));
    expect(appended).toEqual([]);
    time.advance(40);
    await settle();
    expect(appended).toEqual([
      ['2026-11-23', [1]],
      ['2026-11-24', [2, 3]],
    ]);
  });

  it('keeps no address of whoever has objected to that', async () => {
    const rows: CallRecord[] = [];
    const recorder = createRecorder({
      restriction: UNRESTRICTED,
      objections: { has: (_accountId, purpose) => purpose === 'origin-ip' },
      store: { append: async (_day, batch) => void rows.push(...batch) },
      clock: systemClock,
      scheduler: systemScheduler,
      events: { emit: () => undefined, dropped: () => 0 },
      limits: { recordFlushMs: 100, recordFlushRows: 500, recordRowsMax: 1000 },
    });
    recorder.add({ ...row(1), originIp: '192.0.2.7' });
    await recorder.close();
    expect(rows.map(({ originIp }) => originIp)).toEqual(['0.0.0.0']);
  });

  it('writes a full batch at once', async () => {
    const { appended, recorder } = rigOf();
    for (let i = 0; i < 500; i++) recorder.add(row(i));
    await settle();
    expect(appended[0]?.[1]).toHaveLength(500);
  });

  it('loses nothing while the store fails, says so, and makes calls wait at the bound', async () => {
    const { time, appended, events, store, recorder } = rigOf();
    store.isBroken = true;
    for (let i = 0; i < 1000; i++) recorder.add(row(i));
    await settle();
    expect(events).toContain('calls.flushed_late');
    let isAdmitted = false;
    recorder.whenRoom(() => (isAdmitted = true));
    expect(isAdmitted).toBe(false);
    store.isBroken = false;
    time.advance(100);
    await settle();
    expect(isAdmitted).toBe(true);
    expect(appended.flatMap(([, versions]) => versions)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('writes what is left when it closes, and says when it cannot', async () => {
    const { appended, store, recorder } = rigOf();
    recorder.add(row(1));
    await recorder.close();
    expect(appended).toHaveLength(1);
    store.isBroken = true;
    recorder.add(row(2));
    await expect(recorder.close()).rejects.toThrow('disk full');
  });

  it('survives kill -9 but for the last 100 ms', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'jf-recorder-'));
    const file = join(directory, 'rows');
    const child = spawn(process.execPath, [
      join(import.meta.dirname, 'testing/fixtures/record-until-killed.mjs'),
      file,
    ]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const rows = (await readFile(file, 'utf8')).trim().split('\n').map(Number);
    expect(rows.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    await rm(directory, { recursive: true });
  });
});
