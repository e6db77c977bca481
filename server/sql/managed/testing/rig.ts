import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseFile } from '../../../databases/databases.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { createEventLog } from '../../../kernel/events.ts';
import type { DatabaseId } from '../../../kernel/ids.ts';
import { systemScheduler } from '../../../kernel/scheduler.ts';
import type { Jail, JailedProcess } from '../../../sandbox/jail.ts';
import { openTestJail } from '../../../sandbox/testing.ts';
import type { SqlRow } from '../../sql.ts';
import { createManagedSql, type ManagedSqlOptions } from '../create-managed-sql.ts';
import type { ManagedSql, RunOptions, Statement, StatementResult } from '../managed-sql.ts';

/** Managed databases in a real jail, in a data directory that is closed to others as the server's is. */
export interface Rig {
  readonly sql: ManagedSql;
  readonly home: string;
  /** Event lines. */
  readonly lines: string[];
  /** Every process that was started, in order. */
  readonly processes: JailedProcess[];
  /** A new managed database, made. */
  create(): Promise<DatabaseFile>;
  /** A directory and a key; nothing is made yet. */
  file(): DatabaseFile;
  /** Other managed databases over the same jail and home. */
  open(more: Partial<ManagedSqlOptions>): ManagedSql;
  close(): Promise<void>;
}

export async function openRig(more: Partial<ManagedSqlOptions> = {}): Promise<Rig> {
  const jail = await openTestJail();
  const home = mkdtempSync(join(tmpdir(), 'managed-sql-'));
  const lines: string[] = [];
  const processes: JailedProcess[] = [];
  const opened: ManagedSql[] = [];
  const seen: Pick<Jail, 'start' | 'adopt'> = {
    async start(spec) {
      const process = await jail.start(spec);
      processes.push(process);
      return process;
    },
    adopt: (directory, files) => jail.adopt(directory, files),
  };
  const open = (over: Partial<ManagedSqlOptions>): ManagedSql => {
    const sql = createManagedSql({
      jail: seen,
      clock: systemClock,
      scheduler: systemScheduler,
      events: createEventLog((line) => void lines.push(line), Date.now),
      ...over,
    });
    opened.push(sql);
    return sql;
  };
  let count = 0;
  const file = (): DatabaseFile => {
    const id = `db_${String(++count).padStart(20, '0')}` as DatabaseId;
    const directory = join(home, id);
    mkdirSync(directory, { mode: 0o700 });
    return { id, directory, key: randomBytes(32) };
  };
  const sql = open(more);
  return {
    sql,
    home,
    lines,
    processes,
    open,
    file,
    async create() {
      const made = file();
      await sql.create(made);
      return made;
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await jail.close();
      rmSync(home, { recursive: true });
    },
  };
}

export const never = (): AbortSignal => new AbortController().signal;
export const writing = (more: Partial<RunOptions> = {}): RunOptions => ({
  readOnly: false,
  signal: never(),
  ...more,
});
export const reading = (more: Partial<RunOptions> = {}): RunOptions => ({
  readOnly: true,
  signal: never(),
  ...more,
});

/** Runs one batch, each statement a text or with its parameters. */
export async function run(
  sql: ManagedSql,
  file: DatabaseFile,
  statements: string | readonly (string | Statement)[],
  options: RunOptions = writing(),
): Promise<StatementResult[]> {
  const list = typeof statements === 'string' ? [statements] : statements;
  return sql.run(
    file,
    list.map((statement) => (typeof statement === 'string' ? { sql: statement } : statement)),
    options,
  );
}

export async function rowsOf(
  sql: ManagedSql,
  file: DatabaseFile,
  statement: string | Statement,
  options: RunOptions = reading(),
): Promise<readonly SqlRow[]> {
  const [result] = await run(sql, file, [statement], options);
  return result?.rows ?? [];
}

export async function* bytesOf(text: string, partBytes = 7000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
}

export async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

/** A statement that needs a column list and a FROM n to be one, and never ends. */
export const ENDLESS = 'with recursive n(i) as (select 1 union all select i + 1 from n) select';

/** A new database with the one row 1 in the one column of `t`. */
export async function withTable(rig: Rig, sql: ManagedSql = rig.sql): Promise<DatabaseFile> {
  const file = rig.file();
  await sql.create(file);
  await run(sql, file, ['create table t (a)', 'insert into t values (1)']);
  return file;
}
