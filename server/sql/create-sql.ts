import { createRecordRequest } from '../calls/record-request.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { Recorder } from '../calls/recorder.ts';
import { orAborted } from '../kernel/abort.ts';
import { type Clock, utcDay } from '../kernel/clock.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Models } from '../models/chat-model.ts';
import { answerQuestion } from './ask/answer-question.ts';
import { type AskLimits, askLimits } from './ask/question.ts';
import { sqlErrors } from './errors.ts';
import type { ExternalSql } from './external/external-sql.ts';
import {
  type ManagedDatabasesOptions,
  type TransferLimits,
  createManagedDatabases,
} from './managed-databases.ts';
import { createManagedSource } from './managed-source.ts';
import type { Sql, SqlQuestion } from './sql-service.ts';
import type { SqlSource } from './sql.ts';

export interface SqlOptions extends Pick<ManagedDatabasesOptions, 'databases' | 'managed'> {
  readonly external: Pick<ExternalSql, 'connect'>;
  readonly models: Pick<Models, 'select'>;
  readonly recorder: Pick<Recorder, 'admit' | 'add' | 'whenRoom'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly limits?: Partial<SqlLimits>;
}

export type SqlLimits = AskLimits & TransferLimits;

export const sqlLimits: SqlLimits = {
  ...askLimits,
  statementDeadlineMs: 60_000,
  transferDeadlineMs: 300_000,
};

export function createSql(options: SqlOptions): Sql {
  const { clock, models } = options;
  const limits = { ...sqlLimits, ...options.limits };
  const recordRequest = createRecordRequest({ ...options, errors: sqlErrors });
  return {
    ...createManagedDatabases({ ...options, recordRequest, limits }),
    ask: (question, onEvent = () => undefined) => {
      const { accountId } = question.principal;
      const { originIp, signal: client } = question;
      const { deadlineMs } = limits;
      return recordRequest(
        { accountId, functionId: REQUEST_IDS.sql, originIp, signal: client, deadlineMs },
        async (signal) => {
          // First, because without a model nothing needs to be opened.
          const model = await orAborted(models.select(accountId, question.platform), signal);
          return await withSource(options, { ...question, signal }, (source) =>
            answerQuestion(
              { ...question, accountId, source, signal },
              { model, today: utcDay(clock.now()), limits, onEvent },
            ),
          );
        },
        ({ finish }) => finish === 'complete',
      );
    },
  };
}

/** What the question is put to, open for as long as `work` runs. */
async function withSource<T>(
  { databases, managed, external }: SqlOptions,
  question: SqlQuestion,
  work: (source: SqlSource) => Promise<T>,
): Promise<T> {
  const { tables, unlock, signal } = question;
  const from = targetOf(question.from);
  if ('database' in from) {
    const { file } = await databases.open(await unlock(), 'sql', from.database);
    try {
      return await work(createManagedSource(managed, file, signal));
    } finally {
      file.key.fill(0);
    }
  }
  if (tables.length === 0) throw sqlErrors.noTables();
  const source = await external.connect(from.connection, { signal });
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/** Public clients name managed databases by a connection string, too. */
function targetOf(from: SqlQuestion['from']): SqlQuestion['from'] {
  if ('database' in from) return from;
  const database = MANAGED_CONNECTION.exec(from.connection.reveal().trim())?.[1];
  return database === undefined ? from : { database };
}

const MANAGED_CONNECTION = /^jellyfaas:\/\/([^/?#]+)\/?$/i;
