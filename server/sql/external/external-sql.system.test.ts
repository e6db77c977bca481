import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseServer } from '../../../testkit/database-server.ts';
import { startMariadb } from '../../../testkit/mariadb.ts';
import { startPostgres } from '../../../testkit/postgres.ts';
import { systemClock } from '../../kernel/clock.ts';
import { createEventLog } from '../../kernel/events.ts';
import { type Scheduler, systemScheduler } from '../../kernel/scheduler.ts';
import { Secret } from '../../kernel/secret.ts';
import type { EgressNetwork } from '../../sandbox/egress-guard.ts';
import type { Jail, JailedProcess, JailSpec } from '../../sandbox/jail.ts';
import { openTestJail, processesOf } from '../../sandbox/testing.ts';
import type { SqlSource } from '../sql.ts';
import { createExternalSql, type ExternalSql, type ExternalSqlOptions } from './external-sql.ts';

/** Names lead to the local servers, so that certificates can be of a name or not. */
const network: EgressNetwork = {
  resolvePublic: () => Promise.resolve(['127.0.0.1']),
  resolveAsHost: () => Promise.resolve(['127.0.0.1']),
  connect: ([host], port) => connect({ host, port, allowHalfOpen: true }),
  ownAddresses: () => [],
};
const signal = new AbortController().signal;
const lines: string[] = [];
const started: { process: JailedProcess; spec: JailSpec }[] = [];
let jail: Jail;

beforeAll(async () => {
  jail = await openTestJail({ egressNetwork: network });
});
afterAll(() => jail.close());

function open(more: Partial<ExternalSqlOptions> = {}): ExternalSql {
  return createExternalSql({
    jail: {
      async start(spec) {
        const process = await jail.start(spec);
        started.push({ process, spec });
        return process;
      },
    },
    clock: systemClock,
    scheduler: systemScheduler,
    events: createEventLog((line) => lines.push(line), Date.now),
    allowedHosts: ['127.0.0.0/8'],
    ...more,
  });
}

/** Runs timers only when it is told to: a deadline passes by itself where a test wants it to. */
function manualScheduler(): Scheduler & { pass(delayMs: number): void } {
  const timers = new Map<object, { delayMs: number; task: () => void }>();
  return {
    after(delayMs, task) {
      const timer = { close: () => void timers.delete(timer) };
      timers.set(timer, { delayMs, task });
      return timer;
    },
    pass(limitMs) {
      for (const [timer, { delayMs, task }] of timers) {
        if (delayMs > limitMs) continue;
        timers.delete(timer);
        task();
      }
    },
  };
}

const DIALECTS = {
  mysql: {
    start: startMariadb,
    scheme: 'mysql',
    parameters: { unverified: 'tls=skip-verify', off: 'tls=false' },
    types: `SELECT 1 AS i, 9007199254740993 AS b, 1.50 AS d, 1.5e0 AS f, TRUE AS t, NULL AS n, 'ä€😀' AS s,
      CAST('2024-02-29' AS DATE) AS day, CAST('2024-02-29 12:34:56' AS DATETIME) AS at, x'00ff' AS raw,
      JSON_OBJECT('a', 1) AS j, odometer_km AS km FROM vehicles WHERE id = 4`,
    values: [
      1,
      { int: '9007199254740993' },
      '1.50',
      1.5,
      1,
      null,
      'ä€😀',
      '2024-02-29',
      '2024-02-29 12:34:56',
      { base64: 'AP8=' },
      '{"a": 1}',
      { int: '9007199254740993' },
    ],
    slow: `WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 99999)
      SELECT COUNT(*) FROM n a JOIN n b ON a.x < b.x JOIN n c ON c.x < b.x`,
    sessions: `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'reader'`,
    slowSessions: `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'WITH RECURSIVE%'`,
    large: `SELECT GROUP_CONCAT(REPEAT('x', 10000) SEPARATOR '') FROM trips a, trips b, trips c, trips d, trips e`,
    many: 'SELECT a.id, a.note FROM trips a, trips b, trips c, trips d, trips e',
    faults: {
      'SELECT platte FROM vehicles': 'there is no such column ("platte")',
      'SELECT id FROM vehicles v JOIN trips t ON t.vehicle_id = v.id': 'a column is in more than one table',
      'SELECT (SELECT id FROM trips)': 'a subquery gives more than one row',
      'SELECT id FROM vehicles UNION SELECT id, plate FROM vehicles': 'the same number of columns',
      'SELECT v.id FROM vehicles v JOIN trips v ON TRUE': 'a name is given twice',
    },
  },
  postgres: {
    start: startPostgres,
    scheme: 'postgres',
    parameters: { unverified: 'sslmode=require', off: 'sslmode=disable' },
    types: `SELECT 1 AS i, 9007199254740993 AS b, 1.50 AS d, 1.5::float8 AS f, TRUE AS t, NULL AS n, 'ä€😀' AS s,
      DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 12:34:56' AS at, '\\x00ff'::bytea AS raw,
      '{"a": 1}'::jsonb AS j, odometer_km AS km FROM vehicles WHERE id = 4`,
    values: [
      1,
      { int: '9007199254740993' },
      '1.50',
      1.5,
      true,
      null,
      'ä€😀',
      '2024-02-29',
      '2024-02-29 12:34:56',
      { base64: 'AP8=' },
      '{"a": 1}',
      { int: '9007199254740993' },
    ],
    slow: 'SELECT count(*) FROM generate_series(1, 100000) a JOIN generate_series(1, 100000) b ON a < b',
    sessions: `SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'`,
    slowSessions: `SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND query LIKE 'SELECT count%' AND state = 'active'`,
    large: `SELECT string_agg(repeat('x', 10000), '') FROM generate_series(1, 10000)`,
    many: `SELECT i, repeat('x', 100) FROM generate_series(1, 1000000) AS i`,
    faults: {
      'SELECT platte FROM vehicles': 'there is no such column ("platte")',
      'SELECT id FROM vehicles v JOIN trips t ON t.vehicle_id = v.id': 'a column is in more than one table',
      'SELECT plate, count(*) FROM vehicles': 'a column has to be in GROUP BY',
      'SELECT upper(id) FROM vehicles': 'there is no such function',
      'SELECT 1 / (id - id) FROM vehicles': 'it divides by zero',
      "SELECT 'secret-value'::int FROM vehicles": 'a value does not fit its type',
      'SELECT (SELECT id FROM trips)': 'a subquery gives more than one row',
    },
  },
} as const;

const TABLES = ['vehicles', 'trips'];

for (const [dialect, given] of Object.entries(DIALECTS)) {
  const server = await given.start();

  describe.skipIf(server === undefined)(dialect, () => {
    const database = server as DatabaseServer;
    let external: ExternalSql;

    const connection = (user: string, parameters = '', host = '127.0.0.1'): Secret =>
      new Secret(`${given.scheme}://${user}:${user}@${host}:${database.port}/fleet?${parameters}`);
    const ask = (by = external, text = connection('reader')): Promise<SqlSource> =>
      by.connect(text, { signal });
    const count = async (sql: string): Promise<number> => Number((await database.admin('fleet', sql)).trim());

    beforeAll(() => {
      external = open({ caFile: database.caFile });
    });
    afterAll(async () => {
      await external.close();
      await database.stop();
    });

    test('shows the named tables as they are', async () => {
      const source = await ask(
        external,
        new Secret(connection('reader').reveal().replace('/fleet', '/shop')),
      );
      expect(source.dialect).toBe(dialect);
      const [orders, customers, totals] = await source.schema(['orders', 'customers', 'order_totals']);
      expect(orders).toMatchObject({
        name: 'orders',
        kind: 'table',
        foreignKeys: [{ column: 'customer_id', table: 'customers', references: 'id' }],
      });
      expect(orders?.columns.map(({ name }) => name)).toEqual([
        'id',
        'customer_id',
        'status',
        'ordered_at',
        'shipped_at',
        'total',
      ]);
      expect(orders?.columns[0]).toMatchObject({ primaryKey: true, nullable: false, comment: null });
      expect(orders?.columns[4]).toMatchObject({ primaryKey: false, nullable: true });
      expect(orders?.columns[5]?.comment).toBe('In euros, with taxes');
      expect(customers?.comment).toBe('People who bought something');
      expect(totals?.kind).toBe('view');
      await source.close();
    });

    test.each([
      ['nothing'],
      ["x' OR '1'='1"],
      ['mysql.user'],
      ['pg_catalog.pg_class'],
      ['information_schema.tables'],
      [''],
    ])('has no table %j', async (name) => {
      const source = await ask();
      await expect(source.schema([name])).rejects.toMatchObject({ code: 'sql.unknown_table' });
      await expect(source.read('SELECT 1', [name])).rejects.toMatchObject({ code: 'sql.unknown_table' });
      await source.close();
    });

    test('gives values that JSON can carry', async () => {
      const source = await ask();
      const { rows, columns, truncated } = await source.read(given.types, TABLES);
      expect(rows).toEqual([given.values]);
      expect(columns).toEqual(['i', 'b', 'd', 'f', 't', 'n', 's', 'day', 'at', 'raw', 'j', 'km']);
      expect(truncated).toBe(false);
      await source.close();
    });

    test('cuts results at their bounds, and refuses one value beyond them', async () => {
      const source = await ask();
      const { rows, truncated } = await source.read(given.many, TABLES);
      expect({ rows: rows.length, truncated }).toEqual({ rows: 1000, truncated: true });
      await expect(source.read(given.large, TABLES)).rejects.toMatchObject({
        code: 'sql.failed',
        message: expect.stringContaining('too large') as string,
      });
      await expect(source.read('SELECT plate FROM vehicles WHERE id = 1', TABLES)).resolves.toMatchObject({
        rows: [['B-AB 100']],
      });
      await source.close();
    });

    test('says what was wrong with a statement, and no value', async () => {
      const source = await ask();
      for (const [sql, reason] of Object.entries(given.faults)) {
        const fault = await source.read(sql, TABLES).catch((error: unknown) => error);
        expect(fault, sql).toMatchObject({
          code: 'sql.failed',
          message: expect.stringContaining(reason) as string,
        });
        expect(String(fault)).not.toContain('secret-value');
      }
      await source.close();
    });

    test('trusts certificates of known authorities for the right name, unless the string says otherwise', async () => {
      const strangers = open({ allowedHosts: ['127.0.0.0/8'] });
      const reach = async (by: ExternalSql, parameters = '', host?: string): Promise<string> =>
        ask(by, connection('reader', parameters, host)).then(
          async (source) => (await source.close(), 'reached'),
          ({ code }: { code: string }) => code,
        );
      expect(await reach(external)).toBe('reached');
      expect(await reach(external, '', 'db.example.com')).toBe('reached');
      expect(await reach(external, '', 'other.example.com')).toBe('sql.tls_failed');
      expect(await reach(strangers)).toBe('sql.tls_failed');
      expect(await reach(strangers, given.parameters.unverified)).toBe('reached');
      expect(await reach(strangers, given.parameters.off)).toBe('reached');
    });

    test('does not send a password to whom it cannot trust', async () => {
      const heard: Buffer[] = [];
      const thief = createServer((socket) =>
        socket.on('data', (chunk) => heard.push(chunk)).on('error', () => {}),
      );
      await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
      const { port } = thief.address() as AddressInfo;
      // A greeting without TLS, where the server speaks first.
      thief.on('connection', (socket) => dialect === 'mysql' && socket.write(mysqlGreetingWithoutTls()));
      thief.on(
        'connection',
        (socket) => dialect === 'postgres' && socket.once('data', () => socket.write('N')),
      );
      const text = new Secret(`${given.scheme}://reader:reader@127.0.0.1:${port}/fleet`);
      await expect(ask(external, text)).rejects.toMatchObject({ code: 'sql.tls_failed' });
      expect(Buffer.concat(heard).toString('latin1')).not.toContain('reader');
      thief.close();
    });

    test('tells a wrong password from a host that does not answer', async () => {
      const wrong = new Secret(connection('reader').reveal().replace(':reader@', ':wrong@'));
      await expect(ask(external, wrong)).rejects.toMatchObject({ code: 'sql.login_failed' });
      const missing = new Secret(connection('reader').reveal().replace('/fleet', '/nothing'));
      await expect(ask(external, missing)).rejects.toMatchObject({ code: 'sql.login_failed' });
      const closed = new Secret(`${given.scheme}://reader:reader@127.0.0.1:1/fleet`);
      await expect(ask(external, closed)).rejects.toMatchObject({ code: 'sql.unreachable' });
    });

    test('leaves no session behind when a source is closed', async () => {
      const source = await ask();
      await source.read('SELECT 1', TABLES);
      await source.schema(['trips', 'vehicles']);
      expect(await count(given.sessions)).toBe(1);
      await source.close();
      await expect.poll(() => count(given.sessions)).toBe(0);
      await expect(source.read('SELECT 1', TABLES)).rejects.toMatchObject({
        code: expect.stringMatching(/^sql\./) as string,
      });
    });

    test("the database's own timeout ends a statement, and the next one can be asked", async () => {
      const hasty = open({
        caFile: database.caFile,
        scheduler: manualScheduler(),
        limits: { statementMs: 1000 },
      });
      const source = await ask(hasty);
      await expect(source.read(given.slow, TABLES)).rejects.toMatchObject({ code: 'sql.timeout' });
      await expect(source.read('SELECT 1 AS x', TABLES)).resolves.toMatchObject({ rows: [[1]] });
      await source.close();
    });

    test('our own deadline ends the session in the database, whatever its timeout is', async () => {
      const scheduler = manualScheduler();
      const patient = open({
        caFile: database.caFile,
        scheduler,
        limits: { statementMs: 100_000, workMs: 300_000 },
      });
      const source = await ask(patient);
      const reading = source.read(given.slow, TABLES);
      reading.catch(() => {});
      await expect.poll(() => count(given.slowSessions)).toBe(1);
      scheduler.pass(150_000);
      await expect(reading).rejects.toMatchObject({ code: 'sql.timeout' });
      await source.close();
      await expect.poll(() => count(given.sessions)).toBe(0);
    });

    test('a caller that leaves ends the session in the database and the process', async () => {
      const leaving = new AbortController();
      const source = await external.connect(connection('reader'), { signal: leaving.signal });
      const reading = source.read(given.slow, TABLES);
      reading.catch(() => {});
      await expect.poll(() => count(given.slowSessions)).toBe(1);
      leaving.abort();
      await expect(reading).rejects.toMatchObject({ code: 'sql.cancelled' });
      await source.close();
      expect(processesOf(started.at(-1)?.process.uid ?? 0)).toEqual([]);
      await expect.poll(() => count(given.sessions)).toBe(0);
    });

    test('a process that hangs is ended, and so is its session', async () => {
      const brief = open({ caFile: database.caFile, limits: { statementMs: 3000 } });
      const source = await ask(brief);
      const reading = source.read(given.slow, TABLES);
      reading.catch(() => {});
      await expect.poll(() => count(given.slowSessions)).toBe(1);
      for (const pid of processesOf(started.at(-1)?.process.uid ?? 0)) process.kill(pid, 'SIGSTOP');
      await source.close();
      await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^sql\./) as string });
      await expect.poll(() => count(given.sessions)).toBe(0);
    });

    test('a connection string is in no argument, environment, log or answer, and its process is gone', async () => {
      const canary = 'kNaRy7741';
      const { port } = database;
      const strings = [
        `${given.scheme}://${canary}:${canary}@127.0.0.1:${port}/${canary}`,
        `${given.scheme}://${canary}:${canary}@127.0.0.1:1/${canary}`,
        `${given.scheme}://reader:reader@127.0.0.1:${port}/${canary}`,
      ];
      for (const text of strings) {
        const fault: unknown = await ask(external, new Secret(text)).catch((error: unknown) => error);
        expect(`${String(fault)} ${JSON.stringify(fault)}`).not.toContain(canary);
        expect(processesOf(started.at(-1)?.process.uid ?? 0)).toEqual([]);
      }
      const source = await ask();
      const said = await source.read(`SELECT '${canary}' AS ${canary}x FROM nothing`, TABLES).catch(String);
      expect(said).not.toContain(canary);
      const { process: running, spec } = started.at(-1) ?? {};
      const pids = processesOf(running?.uid ?? 0);
      expect(pids.length).toBeGreaterThan(0);
      for (const pid of pids) {
        const seen = ['cmdline', 'environ']
          .map((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1'))
          .join();
        expect(seen).not.toContain('reader');
      }
      expect(JSON.stringify([spec, lines])).not.toMatch(/reader|kNaRy/);
      await source.close();
    });

    test('more questions than there are processes are told to wait', async () => {
      const narrow = open({ caFile: database.caFile, limits: { processesMax: 1 } });
      const source = await ask(narrow);
      await expect(ask(narrow)).rejects.toMatchObject({ code: 'sql.busy', retryAfterSeconds: 5 });
      await source.close();
      await (await ask(narrow)).close();
    });
  });
}

/** Protocol 10, every capability of the old ones but TLS, and the plugin's name. */
function mysqlGreetingWithoutTls(): Buffer {
  const body = Buffer.concat([
    Buffer.from('\n5.7.40\0'),
    Buffer.from([1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]),
    Buffer.from([0xff, 0xf7, 45, 2, 0, 0x08, 0, 21]),
    Buffer.alloc(10),
    Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0]),
    Buffer.from('mysql_native_password\0'),
  ]);
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]);
}
