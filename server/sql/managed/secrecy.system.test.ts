import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import type { SqlRow } from '../sql.ts';
import type { RowStream } from './managed-sql.ts';
import { ENDLESS, openRig, reading, type Rig, rowsOf, run, withTable } from './testing/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

describe('a key', () => {
  const wrong = (file: DatabaseFile): DatabaseFile => ({ ...file, key: new Uint8Array(32).fill(7) });

  test('that is not the right one opens nothing, not even what is open', async () => {
    const file = await withTable(rig);
    await expect(rowsOf(rig.sql, wrong(file), 'select a from t')).rejects.toMatchObject({
      code: 'sql.wrong_key',
    });
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1]]);
    const other = rig.open({});
    await rig.processes.at(-1)?.kill();
    await expect(rowsOf(other, wrong(file), 'select a from t')).rejects.toMatchObject({
      code: 'sql.wrong_key',
    });
    expect(await rowsOf(other, file, 'select a from t')).toEqual([[1]]);
    await other.close();
  });

  test('may be wiped by its caller as soon as he was answered or left', async () => {
    const file = await withTable(rig);
    const mine = { ...file, key: Uint8Array.from(file.key) };
    const leaving = new AbortController();
    await rig.processes.at(-1)?.kill();
    const running = rowsOf(rig.sql, mine, 'select a from t', reading({ signal: leaving.signal }));
    mine.key.fill(0);
    expect(await running).toEqual([[1]]);
  });

  test('stands in no argument, environment or file', async () => {
    const file = await withTable(rig);
    const key = Buffer.from(file.key);
    const forms = [key, key.toString('hex'), key.toString('base64')];
    for (const pid of processTree(rig.processes.at(-1)?.pid ?? 0)) {
      for (const name of ['cmdline', 'environ']) {
        const text = readFileSync(`/proc/${pid}/${name}`);
        expect(forms.some((form) => text.includes(form))).toBe(false);
      }
    }
    for (const name of readdirSync(file.directory)) {
      const bytes = readFileSync(join(file.directory, name));
      expect(forms.some((form) => bytes.includes(form))).toBe(false);
    }
  });
});

describe('a file', () => {
  test('that is damaged, missing or not encrypted is not opened', async () => {
    const outcomes: string[] = [];
    for (const spoil of [
      (path: string) => writeFileSync(path, Buffer.alloc(8192, 1)),
      (path: string) => rmSync(path),
      (path: string) => (rmSync(path), symlinkSync('/etc/passwd', path)),
      (path: string) =>
        writeFileSync(path, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4080)])),
    ]) {
      const own = rig.open({});
      const file = await withTable(rig, own);
      await own.close();
      spoil(join(file.directory, 'data.db'));
      const again = rig.open({});
      await rowsOf(again, file, 'select 1').catch((error: { code: string }) => outcomes.push(error.code));
      await again.close();
    }
    expect(outcomes).toEqual(['sql.wrong_key', 'sql.damaged', 'sql.damaged', 'sql.wrong_key']);
  });

  test('that is there already is not made again', async () => {
    const file = await withTable(rig);
    await rig.sql.close();
    rig = { ...rig, sql: rig.open({}) };
    await expect(rig.sql.create(file)).rejects.toMatchObject({ code: 'sql.engine_failed' });
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1]]);
  });
});

test('two databases with calls that are given up show nothing of each other', async () => {
  const files = [await withTable(rig), await withTable(rig)];
  await Promise.all(
    files.map((file, own) =>
      run(rig.sql, file, ['delete from t', `insert into t ${ENDLESS} 'mine-${own}' from n limit 500`]),
    ),
  );
  const calls = Array.from({ length: 120 }, async (_, index) => {
    const own = index % 2;
    const file = files[own];
    if (file === undefined) return;
    const leaving = new AbortController();
    if (index % 5 === 0) setImmediate(() => leaving.abort());
    const options = reading({ signal: leaving.signal });
    const rows =
      index % 3 === 0
        ? allOf(rig.sql.stream(file, { sql: 'select a from t' }, options))
        : rowsOf(rig.sql, file, 'select a from t', options);
    const seen = await rows.catch((error: { code: string }) => {
      expect(error.code).toMatch(/^sql\.(cancelled|busy)$/);
      return [];
    });
    for (const [value] of seen) expect(value).toBe(`mine-${own}`);
  });
  await Promise.all(calls);
});

describe('the disk', () => {
  const canaries = ['canary-row-7741', 'canary_table_7741', 'canary_column_7741'];
  const fill = [
    'create table canary_table_7741 (canary_column_7741 text, n integer)',
    `insert into canary_table_7741 ${ENDLESS} 'canary-row-7741-' || i, i % 97 from n limit 40000`,
    'create index by_column on canary_table_7741 (canary_column_7741, n)',
  ];

  test('holds no row and no name in the clear while a database works, and no file but its own', async () => {
    const file = await withTable(rig);
    await run(rig.sql, file, fill);
    const sorted = {
      sql: 'select distinct a.* from canary_table_7741 a order by a.n desc, length(canary_column_7741), canary_column_7741',
    };
    const { rows } = await rig.sql.stream(file, sorted, reading());
    const reader = rows[Symbol.asyncIterator]();
    await reader.next();
    const update = "update canary_table_7741 set canary_column_7741 = canary_column_7741 || 'x'";
    const busy = run(rig.sql, file, update);
    await new Promise(setImmediate);
    // The innermost one is the engine; the others are the jail's own.
    const pid = processTree(rig.processes.at(-1)?.pid ?? 0).at(-1) ?? 0;
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('engine.mjs');
    expect(
      statSync(join(file.directory, 'data.db')).size + statSync(join(file.directory, 'data.db-wal')).size,
    ).toBeGreaterThan(1 << 20);
    for (const name of readdirSync(file.directory)) {
      const bytes = readFileSync(join(file.directory, name));
      for (const canary of canaries) expect(bytes.includes(canary), `${canary} in ${name}`).toBe(false);
    }
    const own = /^\/(work\/data\.db(-wal|-shm)?$|dev\/(null|urandom|shm)|proc\/)/;
    expect(openFilesOf(pid).filter((path) => path.startsWith('/') && !own.test(path))).toEqual([]);
    expect(readdirSync(`/proc/${pid}/root/tmp`)).toEqual([]);
    await busy;
    await reader.return?.();
  });

  test('holds nothing of what was deleted once the process has ended', async () => {
    const own = rig.open({});
    const file = await withTable(rig, own);
    await run(own, file, fill);
    await run(own, file, 'drop table canary_table_7741');
    await own.close();
    expect(readdirSync(file.directory)).toEqual(['data.db']);
    expect(statSync(join(file.directory, 'data.db')).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(file.directory, 'data.db')).uid).toBe(process.getuid?.());
  });

  test('and the log tell of no database', () => {
    expect(rig.lines.length).toBeGreaterThan(10);
    for (const line of rig.lines) {
      const { event, at: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
      expect(event).toMatch(/^sql\.(started|ended)$/);
      expect(Object.keys(fields)).toEqual([event === 'sql.started' ? 'took' : 'reason']);
    }
  });
});

async function allOf(stream: Promise<RowStream>): Promise<SqlRow[]> {
  const rows: SqlRow[] = [];
  for await (const row of (await stream).rows) rows.push(row);
  return rows;
}

function processTree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function openFilesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return [];
    }
  });
}
