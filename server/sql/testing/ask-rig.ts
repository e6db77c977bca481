import type { Principal } from '../../accounts/principal.ts';
import type { CallRecord } from '../../calls/call-record.ts';
import { type ManualTime, createManualTime } from '../../calls/testing/manual-time.ts';
import type { DatabaseFile, Databases, Holder } from '../../databases/databases.ts';
import { notFound } from '../../kernel/errors.ts';
import type { AccountId, ApiKeyId, DatabaseId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import type { ChatModel } from '../../models/chat-model.ts';
import type { SqlAnswer, SqlEvent } from '../ask/question.ts';
import { type SqlLimits, createSql } from '../create-sql.ts';
import type { ManagedSql } from '../managed/managed-sql.ts';
import type { Sql, SqlQuestion } from '../sql-service.ts';
import { type SqliteSource, openSqliteSource } from './sqlite-source.ts';

export const ALICE: Principal = {
  accountId: 'acct_00000000000000000001' as AccountId,
  keyId: 'key_00000000000000000001' as ApiKeyId,
  role: 'member',
};
export const ALICE_HOLDER: Holder = {
  accountId: ALICE.accountId,
  accountKey: new Secret(new Uint8Array(32)),
};

export interface AskRig {
  readonly sql: Sql;
  readonly source: SqliteSource;
  readonly records: CallRecord[];
  readonly time: ManualTime;
  /** Connection strings as the outside engine saw them. */
  readonly connections: string[];
  /** Files that were opened; their keys are the copies that were handed out. */
  readonly opened: DatabaseFile[];
  readonly managed: FakeManaged;
  /** Asks as Alice about the shop's customers unless `over` says otherwise. */
  ask(over?: Partial<SqlQuestion>): Asked;
}

export interface Asked {
  readonly answer: Promise<SqlAnswer>;
  readonly events: SqlEvent[];
}

export type FakeManaged = { -readonly [K in keyof Omit<ManagedSql, 'close'>]: ManagedSql[K] };

export interface AskRigOptions {
  readonly model: ChatModel | Error;
  readonly source?: SqliteSource;
  readonly limits?: Partial<SqlLimits>;
}

/** The service as it is; model, engines and time are the test's. */
export function createAskRig({
  model,
  source = openSqliteSource('shop'),
  limits = {},
}: AskRigOptions): AskRig {
  const time = createManualTime();
  const records: CallRecord[] = [];
  const connections: string[] = [];
  const opened: DatabaseFile[] = [];
  const managed = fakeManaged(source);
  const sql = createSql({
    databases: fakeDatabases(opened),
    managed,
    external: {
      async connect(connection) {
        connections.push(connection.reveal());
        return source;
      },
    },
    models: {
      select: async () => {
        if (model instanceof Error) throw model;
        return model;
      },
    },
    recorder: {
      admit: () => undefined,
      add: (record) => void records.push(record),
      whenRoom: (task) => task(),
    },
    clock: time,
    scheduler: time,
    limits,
  });
  return {
    sql,
    source,
    records,
    time,
    connections,
    opened,
    managed,
    ask(over = {}) {
      const events: SqlEvent[] = [];
      const answer = sql.ask(
        {
          principal: ALICE,
          unlock: async () => ALICE_HOLDER,
          originIp: '192.0.2.7',
          signal: new AbortController().signal,
          question: 'How many customers are there?',
          from: { connection: new Secret('mysql://reader:secret@db.example.org/shop') },
          tables: ['customers'],
          platform: undefined,
          rows: undefined,
          explainOnly: false,
          ...over,
        },
        (event) => events.push(event),
      );
      answer.catch(() => undefined);
      return { answer, events };
    },
  };
}

/** Alice has the databases `mine` and `busy`. */
function fakeDatabases(opened: DatabaseFile[]): Databases {
  const database = (name: string) => ({
    id: `db_${name}` as DatabaseId,
    kind: 'sql' as const,
    name,
    settings: {},
    createdAt: 0,
  });
  const find: Databases['find'] = async ({ accountId }, _kind, name) => {
    if (accountId !== ALICE.accountId || name !== 'mine') throw notFound('database');
    return database(name);
  };
  return {
    async create(_holder, { name }, prepare) {
      await prepare({ id: database(name).id, directory: '/nowhere', key: new Uint8Array(32).fill(7) });
      return database(name);
    },
    list: async () => [database('mine')],
    find,
    async open(holder, kind, name) {
      const found = await find(holder, kind, name);
      const file = { id: found.id, directory: '/nowhere', key: new Uint8Array(32).fill(7) };
      opened.push(file);
      return { database: found, file };
    },
    drop: async (_holder, kind, name) => ({ id: database(name).id, kind, receipt: 'a.b.c' }),
    erase: async () => undefined,
    rotateAll: async () => 0,
    onDropped: () => undefined,
    onRotating: () => undefined,
  };
}

/** Reads like the source; a test replaces what it wants to see. */
function fakeManaged(source: SqliteSource): FakeManaged {
  return {
    create: async () => undefined,
    async run(_file, statements, { tables }) {
      const all = tables ?? (await source.schema([])).map(({ name }) => name);
      const results = await Promise.all(statements.map(({ sql }) => source.read(sql, all)));
      return results.map((result) => ({ ...result, changes: 0, lastRowId: null }));
    },
    stream: async () => ({ columns: [], rows: emptyRows() }),
    schema: () => source.schema([]),
    migrate: async (_file, migrations) => ({ applied: migrations.map(({ id }) => id) }),
    exportSql: () => emptyRows(),
    exportCsv: () => emptyRows(),
    importSql: async () => ({ statements: 0 }),
    importCsv: async () => ({ rows: 0 }),
    size: async () => 4096,
    forget: async () => undefined,
    recall: () => undefined,
  };
}

async function* emptyRows(): AsyncGenerator<never> {}
