import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { type SqlLine, type SqlQuery, type SqlResult, sqlRoutes as routes } from '../../../contract/index.ts';
import type { RowStream, Statement, StatementResult } from '../../sql/managed/managed-sql.ts';
import type { Sql, SqlCaller } from '../../sql/sql-service.ts';
import type { TableSchema } from '../../sql/sql.ts';
import { errorEvent } from '../control/answer-stream.ts';
import { bind } from '../control/bind.ts';
import { reportFailure } from '../errors.ts';
import type { Admit, SqlOptions } from './serve-sql.ts';
import { type TextAnswer, createTextAnswer } from '../control/text-answer.ts';

/** Statements, schema and migrations of managed databases. */
export function serveStatements(app: FastifyInstance, options: SqlOptions, admit: Admit): void {
  const {
    accounts,
    sql: { service },
  } = options;
  bind(app, accounts, routes.querySql, ({ params, body, ...call }) =>
    admit(call, async (caller) => {
      if (acceptsLines(call.request)) {
        await sendLines(options, call.reply, { caller, name: params.name, body });
        return undefined;
      }
      const { readOnly, rowsMax, timeoutMs } = body;
      const batch = { statements: [statementOf(body)], readOnly, rowsMax, timeoutMs };
      const [result] = await service.run(caller, params.name, batch);
      return result === undefined ? undefined : shown(result);
    }),
  );
  bind(app, accounts, routes.batchSql, ({ params, body, ...call }) =>
    admit(call, async (caller) => {
      const { statements, ...bounds } = body;
      const batch = { ...bounds, rowsMax: body.rowsMax, statements: statements.map(statementOf) };
      return { results: (await service.run(caller, params.name, batch)).map(shown) };
    }),
  );
  serveSchema(app, { accounts, service }, admit);
}

function serveSchema(
  app: FastifyInstance,
  { accounts, service }: Pick<SqlOptions, 'accounts'> & { readonly service: Sql },
  admit: Admit,
): void {
  bind(app, accounts, routes.getSqlSchema, ({ params, ...call }) =>
    admit(call, async (caller) => ({
      tables: (await service.schema(caller, params.name)).map(shownTable),
    })),
  );
  bind(app, accounts, routes.migrateSql, ({ params, body, ...call }) =>
    admit(call, async (caller) => ({
      applied: await service.migrate(caller, params.name, body.migrations),
    })),
  );
}

function statementOf({ sql, params }: Pick<z.output<typeof SqlQuery>, 'sql' | 'params'>): Statement {
  return params === undefined ? { sql } : { sql, params };
}

function shown({ columns, rows, ...rest }: StatementResult): SqlResult {
  return { columns: [...columns], rows: rows.map((row) => [...row]), ...rest };
}

function shownTable({ columns, foreignKeys, ...table }: TableSchema): {
  -readonly [K in keyof TableSchema]: TableSchema[K] extends readonly (infer T)[] ? T[] : TableSchema[K];
} {
  return { ...table, columns: [...columns], foreignKeys: [...foreignKeys] };
}

function acceptsLines({ headers }: FastifyRequest): boolean {
  return /(?:^|[\s,])application\/x-ndjson(?:$|[\s,;])/i.test(headers.accept ?? '');
}

interface LinesRequest {
  readonly caller: SqlCaller;
  readonly name: string;
  readonly body: z.output<typeof SqlQuery>;
}

/** Rows as lines. What fails before the first is an error with a status; later it is the last line. */
async function sendLines(
  { sql: { service }, events }: SqlOptions,
  reply: FastifyReply,
  { caller, name, body }: LinesRequest,
): Promise<void> {
  const answer = createTextAnswer(reply, { 'content-type': 'application/x-ndjson; charset=utf-8' });
  const { rowsMax, timeoutMs } = body;
  try {
    await service.stream(caller, name, {
      statement: statementOf(body),
      rowsMax,
      timeoutMs,
      consume: (rows) => writeRows(answer, rows),
    });
  } catch (thrown) {
    if (!answer.isOpen()) throw thrown;
    reportFailure(events, thrown, 'sql');
    const { type: _, ...error } = errorEvent(thrown);
    answer.end(lineOf({ error }));
  }
}

async function writeRows(answer: TextAnswer, { columns, rows }: RowStream): Promise<void> {
  await answer.write(lineOf({ columns: [...columns] }));
  let count = 0;
  for await (const row of rows) {
    count++;
    await answer.write(lineOf([...row]));
  }
  answer.end(lineOf({ done: true, rows: count }));
}

function lineOf(line: SqlLine): string {
  return `${JSON.stringify(line)}\n`;
}
