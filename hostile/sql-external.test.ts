import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../server/kernel/clock.ts';
import { createEventLog } from '../server/kernel/events.ts';
import { systemScheduler } from '../server/kernel/scheduler.ts';
import { Secret } from '../server/kernel/secret.ts';
import type { EgressNetwork } from '../server/sandbox/egress-guard.ts';
import type { Jail } from '../server/sandbox/jail.ts';
import { openTestJail } from '../server/sandbox/testing.ts';
import {
  createExternalSql,
  type ExternalSql,
  type ExternalSqlLimits,
} from '../server/sql/external/external-sql.ts';
import type { SqlSource } from '../server/sql/sql.ts';
import type { DatabaseServer } from '../testkit/database-server.ts';
import { startMariadb } from '../testkit/mariadb.ts';
import { startPostgres } from '../testkit/postgres.ts';
import { HARMLESS_SECTIONS, sqlAttacks, type SqlDialect, sqlQuestions } from '../testkit/sql-fixtures.ts';

/**
 * Statements that no model may run, put to real servers as an account that may write: none of them does anything. And
 * addresses that no connection string may lead to.
 */
const TABLES = ['customers', 'orders'];
const FILE = '/tmp/jf-attack';
const signal = new AbortController().signal;
const events = createEventLog(() => undefined, Date.now);

let jail: Jail;
beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(() => jail.close());

function open(server: DatabaseServer, limits: Partial<ExternalSqlLimits> = {}): ExternalSql {
  return createExternalSql({
    jail,
    clock: systemClock,
    scheduler: systemScheduler,
    events,
    allowedHosts: [`127.0.0.1:${server.port}`],
    caFile: server.caFile,
    limits,
  });
}

const SERVERS = {
  mysql: {
    start: startMariadb,
    scheme: 'mysql',
    /** Everything that an attack could have changed, in words. */
    state: `
      CHECKSUM TABLE customers, orders, payroll, effects, products;
      SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT LIKE '%schema' ORDER BY 1, 2;
      SELECT user, host, authentication_string FROM mysql.user ORDER BY 1, 2;
      SHOW GRANTS FOR writer; SHOW GRANTS FOR reader; SELECT @@max_connections, @@general_log;`,
  },
  postgres: {
    start: startPostgres,
    scheme: 'postgres',
    state: `
      SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o; SELECT * FROM effects; SELECT * FROM payroll;
      SELECT nspname, relname, relowner, relacl FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace ORDER BY 1, 2;
      SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1;
      SELECT rolname, rolsuper, rolpassword FROM pg_authid ORDER BY 1; SELECT * FROM pg_largeobject_metadata;
      SELECT extname FROM pg_extension; SELECT pid FROM pg_locks WHERE locktype = 'advisory';`,
  },
} as const;

/** The session of the jail without its guard, to see what stands behind it. */
interface Unguarded {
  read(sql: string): Promise<{ rows: unknown[] }>;
  cancel(): Promise<void>;
  close(): void;
}

type OpenUnguarded = (
  target: object,
  dial: () => Promise<unknown>,
  limits: { statementMs: number; rowsMax: number; bytesMax: number },
) => Promise<Unguarded>;

async function openUnguarded(dialect: SqlDialect, server: DatabaseServer): Promise<Unguarded> {
  const path = fileURLToPath(new URL(`../guest/sql/${dialect}.mjs`, import.meta.url));
  const module = (await import(/* @vite-ignore */ path)) as Record<string, OpenUnguarded>;
  const openSession = dialect === 'mysql' ? module['openMysql'] : module['openPostgres'];
  const target = {
    host: '127.0.0.1',
    port: server.port,
    user: 'writer',
    password: 'writer',
    database: 'shop',
    tls: 'off',
  };
  const dial = async (): Promise<unknown> => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  return openSession!(target, dial, { statementMs: 100, rowsMax: 10, bytesMax: 10_000 });
}

for (const dialect of ['mysql', 'postgres'] as const) {
  const { start, scheme, state } = SERVERS[dialect];
  const server = await start();

  describe.skipIf(server === undefined)(`outside ${dialect}`, () => {
    const database = server!;
    let external: ExternalSql;
    let source: SqlSource;
    let before: string;

    const ask = (name: string, user = 'writer', by = external): Promise<SqlSource> =>
      by.connect(new Secret(`${scheme}://${user}:${user}@127.0.0.1:${database.port}/${name}`), {
        signal,
      });

    beforeAll(async () => {
      external = open(database);
      source = await ask('shop');
      before = await database.admin('shop', state);
    });
    afterEach(async () => {
      expect(await database.admin('shop', state)).toBe(before);
      expect(existsSync(FILE)).toBe(false);
    });
    afterAll(async () => {
      await external.close();
      await database.stop();
    });

    test('refuses every attack before the database hears of it', async () => {
      const attacks = sqlAttacks(dialect).filter(({ section }) => !HARMLESS_SECTIONS.has(section));
      for (const { sql } of attacks) {
        await expect(source.read(sql, TABLES), sql).rejects.toMatchObject({ code: 'sql.refused' });
      }
    });

    test('gives no row of a table that was not named', async () => {
      for (const { section, sql } of sqlAttacks(dialect)) {
        if (section === 'huge') continue;
        const told = await source.read(sql, TABLES).catch((error: Error) => error.message);
        expect(JSON.stringify(told), sql).not.toMatch(/classified-person|987654321/);
      }
    });

    test('answers every ordinary question', async () => {
      let place = '';
      let asked = source;
      for (const { database: name, tables, sql } of sqlQuestions(dialect)) {
        if (name !== place) asked = await ask(name, 'reader');
        place = name;
        await expect(asked.read(sql, tables), sql).resolves.toHaveProperty('rows');
      }
    });

    test('changes nothing even without the guard: read-only transactions, rights and time hold', async () => {
      const walls = { refused: 0, ended: 0, read: 0 };
      for (const { section, sql } of sqlAttacks(dialect)) {
        // The driver knows no COPY; the guard and the server's rights do.
        if (HARMLESS_SECTIONS.has(section) || sql.endsWith(' TO STDOUT')) continue;
        const session = await openUnguarded(dialect, database);
        const reading = session.read(sql).then(
          () => 'read' as const,
          () => 'refused' as const,
        );
        // In place of the server's deadline.
        const late = new Promise<'ended'>((resolve) => setTimeout(resolve, 2000, 'ended'));
        const wall = await Promise.race([reading, late]);
        if (wall === 'ended') await session.cancel();
        walls[wall]++;
        session.close();
        await reading;
      }
      // The rest only reads: there the guard is the wall.
      expect(walls.refused).toBeGreaterThan(100);
    });

    test('bounds what only limits can hold, and the process stays within its memory', async () => {
      const hasty = open(database, { statementMs: 1000 });
      for (const { section, sql } of sqlAttacks(dialect)) {
        if (section !== 'huge') continue;
        const asked = await ask('shop', 'reader', hasty);
        const told = await asked.read(sql, TABLES).catch((error: Error & { code: string }) => error.code);
        if (typeof told === 'string') {
          expect(['sql.timeout', 'sql.failed'], sql).toContain(told);
        } else {
          expect(told.rows.length).toBeLessThanOrEqual(1000);
          expect(JSON.stringify(told.rows).length).toBeLessThanOrEqual((1 << 20) + 2000);
        }
        await asked.close();
      }
    });

    test.each(['filer', 'super', 'roled'])('refuses the account %s', async (user) => {
      await expect(ask('shop', user)).rejects.toMatchObject({ code: 'sql.too_powerful' });
    });
  });
}

describe('addresses', () => {
  /** Every name leads to the addresses that are written in it; nothing may be dialled but what is public. */
  const dialled: string[] = [];
  const network: EgressNetwork = {
    resolvePublic: (host) => Promise.resolve(NAMES[host] ?? ['93.184.215.14']),
    resolveAsHost: () => Promise.resolve(['127.0.0.1']),
    connect(addresses) {
      dialled.push(...addresses);
      return connect(1, '127.0.0.1');
    },
    ownAddresses: () => ['203.0.114.9'],
  };
  const NAMES: Record<string, string[]> = {
    'loopback.example.com': ['127.0.0.1'],
    'metadata.google.internal': ['169.254.169.254'],
    'mapped.example.com': ['::ffff:127.0.0.1'],
    'mixed.example.com': ['93.184.215.14', '10.0.0.1'],
    'unique.example.com': ['fd00:ec2::254'],
    'own.example.com': ['203.0.114.9'],
    'nat64.example.com': ['64:ff9b::7f00:1'],
    'nothing.example.com': [],
    'foo.localhost': ['127.0.0.1'],
    'db.internal': ['10.7.7.7'],
  };
  let other: Jail;
  let external: ExternalSql;
  beforeAll(async () => {
    other = await openTestJail({ egressNetwork: network });
    external = createExternalSql({
      jail: other,
      clock: systemClock,
      scheduler: systemScheduler,
      events,
      allowedHosts: ['10.9.0.0/16', 'db.internal:3306'],
    });
  });
  afterAll(() => other.close());

  test.each([
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '0',
    '0.0.0.0',
    'localhost',
    'LOCALHOST',
    'localhost.',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '169.254.169.254',
    '10.0.0.1',
    '10.9.0.1.',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '203.0.114.9',
    'db',
    ...Object.keys(NAMES),
    '127.0.0.1%00.example.com',
    'example.com%23',
    '①②⑦.0.0.1',
    'example.com\\@127.0.0.1',
    'a.example,127.0.0.1',
  ])('%s is not reached', async (host) => {
    for (const text of [`u:p@tcp(${host}:3307)/d`, `postgres://u:p@${host}:3307/d`]) {
      const refusal = await external.connect(new Secret(text), { signal }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        code: expect.stringMatching(/^sql\.(bad_connection|address_refused)$/),
      });
    }
    expect(dialled).toEqual([]);
  });

  test('a name that turns private after its check reaches nothing', async () => {
    NAMES['rebind.example.com'] = ['93.184.215.14'];
    const connecting = external.connect(new Secret('u:p@tcp(rebind.example.com:3306)/d'), { signal });
    await expect(connecting).rejects.toMatchObject({ code: 'sql.unreachable' });
    expect(dialled.splice(0)).toEqual(['93.184.215.14']);
    NAMES['rebind.example.com'] = ['127.0.0.1'];
    const again = external.connect(new Secret('u:p@tcp(rebind.example.com:3306)/d'), { signal });
    await expect(again).rejects.toMatchObject({ code: 'sql.address_refused' });
    expect(dialled).toEqual([]);
  });

  test.each(['10.9.3.4:1234', 'db.internal:3306'])(
    '%s is tried, because the operator says so',
    async (authority) => {
      const connecting = external.connect(new Secret(`u:p@tcp(${authority})/d`), { signal });
      await expect(connecting).rejects.toMatchObject({ code: 'sql.unreachable' });
      expect(dialled.splice(0)).toHaveLength(1);
    },
  );
});
