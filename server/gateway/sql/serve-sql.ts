import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import {
  type SqlAnswer as ShownAnswer,
  type SqlAsk,
  type SqlEvent,
  rdbmsRoutes,
  sqlRoutes as routes,
} from '../../../contract/index.ts';
import type { Database } from '../../databases/databases.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { Secret } from '../../kernel/secret.ts';
import type { SqlAnswer } from '../../sql/ask/question.ts';
import type { Sql, SqlCaller, SqlQuestion } from '../../sql/sql-service.ts';
import { acceptsEvents, goneSignal, streamAnswer } from '../control/answer-stream.ts';
import type { Caller } from '../control/authenticate.ts';
import { bind } from '../control/bind.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';
import { createSlots } from '../control/slots.ts';
import { serveStatements } from './serve-statements.ts';
import { serveTransfers } from './serve-transfers.ts';

/** What SQL needs beside the control plane's own parts. */
export interface SqlParts {
  readonly service: Sql;
  /** Textual IP address of whoever makes a request. */
  readonly originIp: (req: IncomingMessage) => string;
}

export interface SqlOptions extends Pick<ControlPlaneOptions, 'accounts' | 'events' | 'limits' | 'closing'> {
  readonly sql: SqlParts;
}

/** A request, with what it takes to answer it. */
export interface SqlRequest extends Caller {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** How requests on rows are let in: so many at once, and with the key that opens what they are about. */
export type Admit = <T>(call: SqlRequest, work: (caller: SqlCaller) => Promise<T>) => Promise<T>;
/** So many at once, too; the key is asked for only where a database of ours is opened. */
type Enter = <T>(call: SqlRequest, work: (asker: Asker) => Promise<T>) => Promise<T>;
type Asker = Pick<SqlQuestion, 'principal' | 'unlock' | 'originIp' | 'signal'>;

/** Managed databases, and questions in words as the versioned API and the public clients put them. */
export function serveSql(app: FastifyInstance, options: SqlOptions): void {
  const { limits, sql } = options;
  const slots = createSlots({
    total: limits.queriesMax,
    perHolder: limits.queriesPerAccountMax,
    code: 'sql.too_many_requests',
    what: 'requests to SQL databases',
  });
  const enter: Enter = async ({ principal, unlock, request, reply }, work) => {
    const release = slots.take(principal.accountId);
    try {
      const originIp = sql.originIp(request.raw);
      return await work({ principal, unlock, originIp, signal: goneSignal(reply) });
    } finally {
      release();
    }
  };
  const admit: Admit = (call, work) =>
    enter(call, async ({ unlock, originIp, signal }) => work({ holder: await unlock(), originIp, signal }));
  serveDatabases(app, options);
  serveStatements(app, options, admit);
  serveTransfers(app, options, admit);
  serveQuestions(app, options, enter);
  serveRdbms(app, options, enter);
}

function serveDatabases(app: FastifyInstance, { accounts, sql: { service } }: SqlOptions): void {
  bind(app, accounts, routes.createSqlDatabase, async ({ unlock, body }) =>
    shown(await service.create(await unlock(), body.name)),
  );
  bind(app, accounts, routes.listSqlDatabases, async ({ unlock }) => ({
    databases: (await service.list(await unlock())).map(shown),
  }));
  bind(app, accounts, routes.getSqlDatabase, async ({ unlock, params }) => {
    const database = await service.describe(await unlock(), params.name);
    return { ...shown(database), bytes: database.bytes };
  });
  bind(app, accounts, routes.dropSqlDatabase, async ({ unlock, params }) => {
    const { id, receipt } = await service.drop(await unlock(), params.name);
    return { id, receipt };
  });
}

function shown({ id, name, createdAt }: Database): { id: string; name: string; createdAt: string } {
  return { id, name, createdAt: rfc3339(createdAt) };
}

function serveQuestions(app: FastifyInstance, options: SqlOptions, enter: Enter): void {
  const {
    accounts,
    sql: { service },
  } = options;
  bind(app, accounts, routes.askSql, ({ body, ...call }) =>
    enter(call, async (asker) => {
      const question = { ...asker, ...questionOf(body) };
      if (!acceptsEvents(call.request)) return shownAnswer(await service.ask(question), body.trace);
      await streamAnswer<SqlEvent>(options, call.reply, {
        area: 'sql',
        async work(send, signal) {
          const answer = await service.ask({ ...question, signal }, (event) => {
            if (event.type === 'text' || body.trace) send(event as SqlEvent);
          });
          send({ type: 'answer', ...shownAnswer(answer, body.trace) });
        },
      });
      return undefined;
    }),
  );
}

function questionOf(body: z.output<typeof SqlAsk>): Omit<SqlQuestion, keyof Asker> {
  const { question, tables, connection, database, platform, rows, explainOnly } = body;
  const from =
    connection === undefined ? { database: database ?? '' } : { connection: new Secret(connection) };
  return { question, tables, from, platform, rows, explainOnly };
}

function shownAnswer({ trace, ...answer }: SqlAnswer, withTrace: boolean): ShownAnswer {
  return structuredClone(withTrace ? { ...answer, trace } : answer) as ShownAnswer;
}

function serveRdbms(app: FastifyInstance, { accounts, sql: { service } }: SqlOptions, enter: Enter): void {
  bind(app, accounts, rdbmsRoutes.queryRdbms, ({ body, ...call }) =>
    enter(call, async (asker) => {
      const answer = await service.ask({
        ...asker,
        question: body.query,
        statementQuestion: given(body.rdbms_query),
        from: { connection: new Secret(body.mysql_connection_string) },
        tables: body.tables ?? [],
        platform: given(body.ai_platform),
        rows: undefined,
        explainOnly: false,
      });
      return shownAnswer(answer, false);
    }),
  );
}

/** Public clients send empty texts and null for what they leave out. */
function given(text: string | null | undefined): string | undefined {
  return text === null || text?.trim() === '' ? undefined : text;
}
