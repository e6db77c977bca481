import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Scheduler, systemScheduler } from '../../kernel/scheduler.ts';
import { createManagedSql } from './create-managed-sql.ts';
import { ENDLESS, openRig, reading, type Rig, rowsOf, run, withTable, writing } from './testing/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

/** Timers of one delay are run by the test, all others by the clock. */
function stopClock(stoppedMs: number): { scheduler: Scheduler; fire: () => void } {
  const waiting = new Set<() => void>();
  return {
    scheduler: {
      after(delayMs, task) {
        if (delayMs !== stoppedMs) return systemScheduler.after(delayMs, task);
        waiting.add(task);
        return { close: () => void waiting.delete(task) };
      },
    },
    fire: () => [...waiting].forEach((task) => task()),
  };
}

describe('a process that is killed', () => {
  test('in the middle of a batch leaves all of it or nothing, at a hundred moments', async () => {
    const file = await withTable(rig);
    const batch = (round: number) => Array.from({ length: 200 }, () => `insert into t values (${round})`);
    let acknowledged = 0;
    for (let round = 0; round < 100; round++) {
      await run(rig.sql, file, 'select 1');
      const process = rig.processes.at(-1);
      const running = run(rig.sql, file, batch(round + 2)).then(
        () => true,
        (error: { code: string }) => {
          expect(error.code).toBe('sql.interrupted');
          return false;
        },
      );
      const delayMs = (round % 50) * 0.6;
      const killed = new Promise((resolve) => systemScheduler.after(delayMs, () => resolve(process?.kill())));
      const [isDone] = await Promise.all([running, killed]);
      const counts = await rowsOf(rig.sql, file, 'select a, count(*) from t where a > 1 group by a');
      expect(counts.filter(([, count]) => count !== 200)).toEqual([]);
      if (isDone) acknowledged++;
      expect(counts.length).toBeGreaterThanOrEqual(acknowledged);
    }
    expect(await rowsOf(rig.sql, file, 'select * from pragma_integrity_check')).toEqual([['ok']]);
  });

  test('while rows are streamed ends the stream, and the next request has a new one', async () => {
    const file = await withTable(rig);
    const { rows } = await rig.sql.stream(file, { sql: `${ENDLESS} i from n` }, reading());
    const reader = rows[Symbol.asyncIterator]();
    await reader.next();
    await rig.processes.at(-1)?.kill();
    const rest = async (): Promise<void> => {
      for (;;) await reader.next();
    };
    await expect(rest()).rejects.toMatchObject({ code: 'sql.interrupted' });
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1]]);
  });

  test('for one statement harms none that waits behind it', async () => {
    const file = await withTable(rig);
    const slow = run(rig.sql, file, `${ENDLESS} count(*) from n`, reading({ timeoutMs: 100 }));
    const behind = Array.from({ length: 5 }, (_, index) =>
      run(rig.sql, file, `insert into t values (${index + 10})`),
    );
    await expect(slow).rejects.toMatchObject({ code: 'sql.timeout' });
    expect((await Promise.all(behind)).flat().map(({ changes }) => changes)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('a caller who leaves', () => {
  test('is let go at once, and what he started is given up', async () => {
    const file = await withTable(rig);
    const leaving = new AbortController();
    const running = run(rig.sql, file, `${ENDLESS} count(*) from n`, reading({ signal: leaving.signal }));
    await new Promise(setImmediate);
    leaving.abort();
    await expect(running).rejects.toMatchObject({ code: 'sql.cancelled' });
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1]]);
  });

  test('before his turn has nothing run for him', async () => {
    const file = await withTable(rig);
    const leaving = new AbortController();
    const first = run(rig.sql, file, 'insert into t values (2)');
    const second = run(rig.sql, file, 'insert into t values (3)', writing({ signal: leaving.signal }));
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: 'sql.cancelled' });
    await first;
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1], [2]]);
  });

  test('while a stream opens leaves no reading behind', async () => {
    const file = await withTable(rig);
    for (let round = 0; round < 8; round++) {
      const leaving = new AbortController();
      const opening = rig.sql.stream(file, { sql: 'select * from t' }, reading({ signal: leaving.signal }));
      leaving.abort();
      await expect(opening).rejects.toMatchObject({ code: 'sql.cancelled' });
    }
    const { rows } = await rig.sql.stream(file, { sql: 'select * from t' }, reading());
    expect((await rows[Symbol.asyncIterator]().next()).value).toEqual([1]);
  });
});

describe('few processes', () => {
  test('serve many databases in turn', async () => {
    const two = rig.open({ limits: { enginesMax: 2 } });
    const files = await Promise.all(Array.from({ length: 5 }, () => withTable(rig, two)));
    for (let round = 0; round < 2; round++) {
      await Promise.all(files.map((file) => run(two, file, `insert into t values (${100 + round})`)));
    }
    const all = await Promise.all(files.map((file) => rowsOf(two, file, 'select a from t where a <> 1')));
    expect(all.map((rows) => rows.length)).toEqual([2, 2, 2, 2, 2]);
    await two.close();
  });

  test('that are all held by readers let others wait, and not for ever', async () => {
    const one = rig.open({ limits: { enginesMax: 1, placeMs: 1000 } });
    const [held, other] = [await withTable(rig, one), await withTable(rig, one)];
    const { rows } = await one.stream(held, { sql: `${ENDLESS} i from n` }, reading());
    const reader = rows[Symbol.asyncIterator]();
    await reader.next();
    await expect(rowsOf(one, other, 'select a from t')).rejects.toMatchObject({ code: 'sql.busy' });
    const waiting = rowsOf(one, other, 'select a from t');
    await reader.return?.();
    expect(await waiting).toEqual([[1]]);
    await one.close();
  });

  test('end when nobody used them for a while, and leave no log behind', async () => {
    const { scheduler, fire } = stopClock(77_000);
    const sql = rig.open({ scheduler, limits: { idleMs: 77_000 } });
    const file = await withTable(rig, sql);
    const process = rig.processes.at(-1);
    expect(readdirSync(file.directory)).toContain('data.db-wal');
    fire();
    expect(await process?.exited).toMatchObject({ reason: 'killed' });
    expect(await rowsOf(sql, file, 'select a from t')).toEqual([[1]]);
    await sql.close();
    expect(readdirSync(file.directory)).toEqual(['data.db']);
  });

  test('let only so many wait for one database', async () => {
    const sql = rig.open({ limits: { queueMax: 3 } });
    const file = await withTable(rig, sql);
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => run(sql, file, 'select 1')));
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    await sql.close();
  });

  test('let only so many read row by row on one database', async () => {
    const file = await withTable(rig);
    const streams = [];
    for (let count = 0; count < 4; count++)
      streams.push(await rig.sql.stream(file, { sql: 'select a from t' }, reading()));
    const fifth = rig.sql.stream(file, { sql: 'select a from t' }, reading());
    await expect(fifth).rejects.toMatchObject({ code: 'sql.busy' });
    for (const { rows } of streams) for await (const row of rows) expect(row).toEqual([1]);
  });
});

test('a stream that nobody reads is ended', async () => {
  const { scheduler, fire } = stopClock(77_000);
  const sql = rig.open({ scheduler, limits: { stallMs: 77_000 } });
  const file = await withTable(rig, sql);
  const { rows } = await sql.stream(file, { sql: `${ENDLESS} i from n` }, reading());
  const reader = rows[Symbol.asyncIterator]();
  await reader.next();
  fire();
  const rest = async (): Promise<void> => {
    for (;;) await reader.next();
  };
  await expect(rest()).rejects.toMatchObject({ code: 'sql.stalled' });
  expect(await rowsOf(sql, file, 'select a from t')).toEqual([[1]]);
  await sql.close();
});

describe('a database that is dropped', () => {
  test('ends what runs on it and what waits for it, as if it had never been there', async () => {
    const file = await withTable(rig);
    const outcomes = [
      run(rig.sql, file, `${ENDLESS} count(*) from n`, reading()),
      run(rig.sql, file, 'insert into t values (2)'),
      rig.sql.schema(file, reading()),
    ].map((running) => running.catch((error: { code: string }) => error.code));
    await new Promise(setImmediate);
    await rig.sql.forget(file.id);
    expect(await Promise.all(outcomes)).toEqual(Array.from({ length: 3 }, () => 'database.not_found'));
    await expect(rowsOf(rig.sql, file, 'select 1')).rejects.toMatchObject({ code: 'database.not_found' });
    expect(lstatSync(file.directory).uid).toBe(process.getuid?.());
    rmSync(file.directory, { recursive: true });
  });

  test('while it is being opened, or read, or imported into is gone as well', async () => {
    const opening = rig.file();
    const creating = rig.sql.create(opening);
    await rig.sql.forget(opening.id);
    await expect(creating).rejects.toMatchObject({ code: 'database.not_found' });

    const file = await withTable(rig);
    const { rows } = await rig.sql.stream(file, { sql: `${ENDLESS} i from n` }, reading());
    const reader = rows[Symbol.asyncIterator]();
    await reader.next();
    const importing = rig.sql.importSql(
      file,
      (async function* () {
        yield Buffer.from('insert into t values (2);');
        await rig.sql.forget(file.id);
        yield Buffer.from('insert into t values (3);');
      })(),
      writing(),
    );
    await expect(importing).rejects.toMatchObject({ code: 'database.not_found' });
    const rest = async (): Promise<void> => {
      for (;;) await reader.next();
    };
    await expect(rest()).rejects.toMatchObject({ code: 'database.not_found' });
  });
});

test('closing ends every process, and refuses what comes later', async () => {
  const sql = rig.open({});
  const file = await withTable(rig, sql);
  const process = rig.processes.at(-1);
  const running = run(sql, file, `${ENDLESS} count(*) from n`, reading()).catch(
    (error: { code: string }) => error.code,
  );
  await new Promise(setImmediate);
  await sql.close();
  expect(await running).toBe('sql.interrupted');
  expect(await process?.exited).toMatchObject({ reason: 'killed' });
  await expect(rowsOf(sql, file, 'select 1')).rejects.toMatchObject({ code: 'sql.interrupted' });
});

test('a jail that cannot be had is told, and costs no place', async () => {
  let tries = 0;
  const sql = createManagedSql({
    jail: {
      start: () => Promise.reject(new Error('no jail')),
      adopt: () => (tries++, Promise.reject(new Error('no jail'))),
    },
    clock: { now: () => 0, monotonicMs: () => 0 },
    scheduler: systemScheduler,
    events: { emit: () => undefined, dropped: () => 0 },
    limits: { enginesMax: 1 },
  });
  const file = rig.file();
  for (let round = 0; round < 3; round++) await expect(sql.create(file)).rejects.toThrow('no jail');
  expect(tries).toBe(3);
});
