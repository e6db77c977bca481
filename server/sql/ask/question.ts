import type { AccountId } from '../../kernel/ids.ts';
import type { SqlRow, SqlSource } from '../sql.ts';

/** A question in words to one database, with all that it needs; nothing of it outlives the answer. */
export interface SourceQuestion {
  readonly accountId: AccountId;
  readonly question: string;
  /** What the statement is written from, where that is not the question itself. */
  readonly statementQuestion?: string | undefined;
  readonly source: SqlSource;
  /** Tables that may be read; empty: all that the source offers. */
  readonly tables: readonly string[];
  readonly platform: string | undefined;
  readonly rows: RowsShown | undefined;
  /** Write the statement and do not run it. */
  readonly explainOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * What of the rows the model sees. Under `none` it is told column names and the number of rows, and writes an answer
 * with placeholders that the platform fills in: no value leaves for a model.
 */
export type RowsShown = 'all' | 'none';

/** What happens while a question is answered, for streaming; the trace is for the caller alone. */
export type SqlEvent =
  | { readonly type: 'text'; readonly text: string }
  /** A statement that is run next, or shown under `explainOnly`. */
  | { readonly type: 'statement'; readonly sql: string }
  /** One that was not run, or failed; `sql` is null when the model wrote none that can be read. */
  | {
      readonly type: 'refused';
      readonly sql: string | null;
      readonly code: string;
      readonly reason: string;
    }
  | {
      readonly type: 'result';
      readonly columns: readonly string[];
      readonly rows: readonly SqlRow[];
      readonly truncated: boolean;
    };

export interface SqlAnswer {
  /** Markdown. */
  readonly answer: string;
  /** `complete`, or why it ended early. */
  readonly finish: 'complete' | 'length' | 'filtered';
  /** The statement; null when the model says that these tables cannot answer the question. */
  readonly sql: string | null;
  readonly columns: readonly string[];
  /** Rows that were read; null when nothing was run. */
  readonly rowCount: number | null;
  /** There were more rows than were read. */
  readonly truncated: boolean;
  readonly rows: RowsShown;
  readonly platform: string;
  readonly model: string;
  readonly retention: 'none' | 'provider';
  readonly trace: readonly Exclude<SqlEvent, { type: 'text' }>[];
}

/** Every bound of a question. */
export interface AskLimits {
  /** From the question to the end of the answer. */
  readonly deadlineMs: number;
  /** Characters of the description of all tables together. */
  readonly schemaLengthMax: number;
  readonly statementLengthMax: number;
  readonly statementTokensMax: number;
  /** Bytes of rows that the model is shown. */
  readonly rowsBytesMax: number;
  readonly answerLengthMax: number;
  readonly answerTokensMax: number;
}

/** Schema, rows and answer fit into the embedded model's context together. */
export const askLimits: AskLimits = {
  deadlineMs: 120_000,
  schemaLengthMax: 12 * 1024,
  statementLengthMax: 8 * 1024,
  statementTokensMax: 1024,
  rowsBytesMax: 12 * 1024,
  answerLengthMax: 64 * 1024,
  answerTokensMax: 2048,
};
