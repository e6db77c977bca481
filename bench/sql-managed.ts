import Database from 'better-sqlite3-multiple-ciphers';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseFile } from '../server/databases/databases.ts';
import type { DatabaseId } from '../server/kernel/ids.ts';
import { systemClock } from '../server/kernel/clock.ts';
import { createEventLog } from '../server/kernel/events.ts';
import { systemScheduler } from '../server/kernel/scheduler.ts';
import { openTestJail } from '../server/sandbox/testing.ts';
import { createManagedSql } from '../server/sql/managed/create-managed-sql.ts';
import type { ManagedSql } from '../server/sql/managed/managed-sql.ts';
import type { Bench, Measurement } from './bench.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

const ROWS = 10_000;
const TABLE = 'create table item (id integer primary key, name text, price real)';
const FILL = `insert into item with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
  select i, 'item ' || i, i * 1.5 from n`;
const QUERY = 'select id, name, price from item where id between ? and ? + 9';
const MIB = 1 << 20;
const IMPORT_MIB = 100;

/** Managed databases through the jail and the guard, beside the driver alone on a file of its own. */
export const measureSqlManaged: Measurement = async (bench) => {
  const jail = await openTestJail();
  const sql = createManagedSql({
    jail,
    clock: systemClock,
    scheduler: systemScheduler,
    events: createEventLog(() => undefined, Date.now),
    limits: { enginesMax: 2 },
  });
  try {
    const files = ['one', 'two', 'three'].map((name) => fileIn(bench, name));
    for (const file of files) {
      await sql.create(file);
      await sql.run(file, [{ sql: TABLE }, { sql: FILL }], writing());
    }
    const [first] = files;
    if (first === undefined) throw new Error('no database');
    return [
      await measureWarm(bench, sql, first),
      await measureCold(bench, sql, files),
      await measureImport(bench, sql, first),
    ];
  } finally {
    await sql.close();
    await jail.close();
  }
};

const writing = () => ({ readOnly: false, signal: new AbortController().signal });
const reading = () => ({ readOnly: true, signal: new AbortController().signal });

function fileIn({ workDir }: Bench, name: string): DatabaseFile {
  const directory = join(workDir, `sql-managed-${name}`);
  mkdirSync(directory, { mode: 0o700 });
  return { id: `db_${name}` as DatabaseId, directory, key: new Uint8Array(32).fill(7) };
}

async function measureWarm(bench: Bench, sql: ManagedSql, file: DatabaseFile): Promise<Row> {
  bench.note('managed SQL, warm query');
  const rounds = bench.isQuick ? 300 : 2000;
  const query = async (round: number): Promise<number> => {
    const from = performance.now();
    const [result] = await sql.run(file, [{ sql: QUERY, params: [round, round] }], reading());
    if (result?.rows.length !== 10) throw new Error('the query gave other rows');
    return performance.now() - from;
  };
  const bare = bareQuery(bench);
  const [tookMs, bareMs]: [number[], number[]] = [[], []];
  // Until the compilers of both processes have settled.
  for (let round = 1; round <= rounds / 2; round++) await query(round);
  for (let round = 1; round <= rounds; round++) {
    tookMs.push(await query(round));
    bareMs.push(bare(round));
  }
  return {
    what: 'Managed SQL: query for 10 of 10,000 rows, warm, p50',
    unit: 'ms',
    measured: median(tookMs),
    goal: { atMost: 5 },
    detail: `p99 ${percentile(tookMs, 0.99).toFixed(2)} ms; the bare driver ${median(bareMs).toFixed(3)} ms`,
  };
}

/** The driver alone, in this process, compiling the statement each time as the engine does. */
function bareQuery({ workDir }: Bench): (round: number) => number {
  const data = new Database(join(workDir, 'sql-managed-bare.db'));
  data.pragma("cipher='aegis'");
  data.pragma(`key='raw:${'07'.repeat(32)}'`);
  data.pragma('journal_mode=wal');
  data.exec(TABLE);
  data.exec(FILL);
  return (round) => {
    const from = performance.now();
    data.prepare(QUERY).all(round, round);
    return performance.now() - from;
  };
}

async function measureCold(bench: Bench, sql: ManagedSql, files: readonly DatabaseFile[]): Promise<Row> {
  bench.note('managed SQL, cold open');
  const rounds = bench.isQuick ? 12 : 60;
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const file = files[round % files.length];
    if (file === undefined) throw new Error('no database');
    const from = performance.now();
    // Three databases take turns at two places, so that each is closed and opened again.
    await sql.run(file, [{ sql: QUERY, params: [1, 1] }], reading());
    tookMs.push(performance.now() - from);
  }
  return {
    what: 'Managed SQL: open in a jail of its own and first query, p99',
    unit: 'ms',
    measured: percentile(tookMs, 0.99),
    goal: { atMost: 600 },
    detail: `p50 ${median(tookMs).toFixed(0)} ms, with the end of another one that makes room`,
  };
}

async function measureImport(bench: Bench, sql: ManagedSql, file: DatabaseFile): Promise<Row> {
  bench.note('managed SQL, import');
  const mib = bench.isQuick ? 5 : IMPORT_MIB;
  const line = `${'x'.repeat(40)},${'4'.repeat(12)},"a ""quoted"" field with, commas",2026-11-23\n`;
  const part = Buffer.from(line.repeat(1000));
  const text = async function* () {
    yield Buffer.from('a,b,c,d\n');
    for (let sent = 0; sent < mib * MIB; sent += part.byteLength) yield part;
  };
  const from = performance.now();
  const { rows } = await sql.importCsv(file, 'imported', text(), writing());
  const seconds = ((performance.now() - from) / 1000) * (IMPORT_MIB / mib);
  return {
    what: `Managed SQL: import of ${IMPORT_MIB} MiB of CSV`,
    unit: 's',
    measured: seconds,
    goal: { atMost: 60 },
    detail: `${(IMPORT_MIB / seconds).toFixed(1)} MiB/s${bench.isQuick ? ` (measured with ${mib} MiB, ${rows} rows)` : `, ${rows} rows`}`,
  };
}
