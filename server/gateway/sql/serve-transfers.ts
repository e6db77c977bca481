import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { sqlRoutes as routes } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { bind } from '../control/bind.ts';
import { bodyStream, handBodiesOn } from '../control/body-stream.ts';
import { unsupportedMedia } from '../control/fastify-error.ts';
import { reportFailure } from '../errors.ts';
import type { Admit, SqlOptions } from './serve-sql.ts';
import { createTextAnswer } from '../control/text-answer.ts';

/** Import and export of managed databases; neither lies in memory as a whole. */
export function serveTransfers(app: FastifyInstance, options: SqlOptions, admit: Admit): void {
  const { accounts, limits, events } = options;
  const { service } = options.sql;
  void app.register(async (scope) => {
    const { stream: mediaTypes } = routes.importSql;
    handBodiesOn(scope, mediaTypes);
    bind(scope, accounts, routes.importSql, ({ params, query, ...call }) =>
      admit(call, async (caller) => {
        const isCsv = call.request.headers['content-type']?.toLowerCase().startsWith('text/csv') === true;
        const csvTable = isCsv ? (query.table ?? missingTable()) : null;
        if (call.request.body === undefined) throw unsupportedMedia(mediaTypes);
        const content = bodyStream(call.request.body as Readable, {
          bytesMax: limits.sqlImportBytesMax,
          flood: tooLarge,
        });
        const count = await service.import(caller, params.name, { csvTable, content });
        return isCsv ? { rows: count } : { statements: count };
      }),
    );
  });

  bind(app, accounts, routes.exportSql, ({ params, query, ...call }) =>
    admit(call, async (caller) => {
      const csvTable = query.format === 'csv' ? (query.table ?? missingTable()) : null;
      await sendText(events, call.reply, {
        mediaType: csvTable === null ? 'application/sql' : 'text/csv',
        write: (consume) => service.export(caller, params.name, { csvTable, consume }),
      });
    }),
  );
}

function tooLarge(bytesMax: number): PlatformError {
  return new PlatformError({
    kind: 'too_large',
    code: 'sql.import_too_large',
    message: `An import has at most ${Math.floor(bytesMax / 1_048_576)} MiB. Split it.`,
  });
}

interface Sending {
  readonly mediaType: string;
  readonly write: (consume: (text: AsyncIterable<string>) => Promise<void>) => Promise<void>;
}

/** What fails before the first piece is an error with a status; later the answer is cut. */
async function sendText(
  events: SqlOptions['events'],
  reply: FastifyReply,
  { mediaType, write }: Sending,
): Promise<void> {
  const answer = createTextAnswer(reply, { 'content-type': `${mediaType}; charset=utf-8` });
  try {
    await write(async (text) => {
      for await (const piece of text) await answer.write(piece);
    });
    answer.end();
  } catch (thrown) {
    if (!answer.isOpen()) throw thrown;
    reportFailure(events, thrown, 'sql');
    answer.cut();
  }
}

function missingTable(): never {
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'request.invalid',
    message: 'CSV is of one table.',
    faults: [{ pointer: '/table', message: 'Name the table in the query.' }],
  });
}
