import { orAborted } from '../../kernel/abort.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { ChatModel } from '../../models/chat-model.ts';
import { sqlErrors } from '../errors.ts';
import type { SqlResult } from '../sql.ts';
import { narrate } from './narrate.ts';
import type { AskLimits, RowsShown, SourceQuestion, SqlAnswer, SqlEvent } from './question.ts';
import { schemaText } from './schema-text.ts';
import { StatementWriter } from './write-statement.ts';

export interface AskParts {
  readonly model: ChatModel;
  /** `2026-11-23`, UTC. */
  readonly today: string;
  readonly limits: AskLimits;
  readonly onEvent: (event: SqlEvent) => void;
}

/** Statements that a model may write for one question: the first, and one repair. */
const ROUNDS_MAX = 2;

/**
 * Schema → statement → rows → answer. Statements are guarded by the source, whatever the model was made to believe.
 * Rejects with `sql.no_statement` when it writes none that can be run, and with errors of model and source.
 */
export async function answerQuestion(question: SourceQuestion, parts: AskParts): Promise<SqlAnswer> {
  const trace: Exclude<SqlEvent, { type: 'text' }>[] = [];
  const asking = new Asking(question, {
    ...parts,
    onEvent(event) {
      if (event.type !== 'text') trace.push(event);
      // What ends after its question has nobody to tell.
      if (!question.signal.aborted) parts.onEvent(event);
    },
  });
  return { ...(await asking.run()), trace };
}

type Outcome = Omit<SqlAnswer, 'trace'>;

class Asking {
  readonly #question: SourceQuestion;
  readonly #parts: AskParts;
  readonly #rows: RowsShown;

  constructor(question: SourceQuestion, parts: AskParts) {
    this.#question = question;
    this.#parts = parts;
    // An outside provider is shown no value unless the caller says so.
    this.#rows = question.rows ?? (parts.model.isOutside ? 'none' : 'all');
  }

  async run(): Promise<Outcome> {
    const { source, question, statementQuestion, accountId, signal, explainOnly } = this.#question;
    const { model, limits, today } = this.#parts;
    const schema = await orAborted(source.schema(this.#question.tables), signal);
    const tables = this.#question.tables.length > 0 ? this.#question.tables : schema.map(({ name }) => name);
    const writer = new StatementWriter({
      accountId,
      model,
      dialect: source.dialect,
      question: statementQuestion ?? question,
      schemaText: schemaText(schema, limits.schemaLengthMax),
      today,
      limits,
      signal,
    });
    for (let round = 1; ; round++) {
      const draft = await writer.write();
      if (draft.type === 'filtered') return this.#outcome({ finish: 'filtered' });
      if (draft.type === 'none') return this.#say({ answer: draft.reason });
      if (draft.type === 'statement' && explainOnly) return this.#explain(draft.sql);
      const attempt =
        draft.type === 'statement'
          ? await this.#read(draft.sql, tables)
          : { sql: null, code: 'sql.unreadable', reason: draft.reason };
      if ('result' in attempt) return await this.#narrate(attempt.sql, attempt.result);
      this.#parts.onEvent({ type: 'refused', ...attempt });
      if (round === ROUNDS_MAX) throw sqlErrors.noStatement(attempt.reason);
      writer.correct(attempt.reason);
    }
  }

  /** The rows, or what the model is told of its statement. */
  async #read(
    sql: string,
    tables: readonly string[],
  ): Promise<{ sql: string; result: SqlResult } | { sql: string; code: string; reason: string }> {
    const { source, signal } = this.#question;
    this.#parts.onEvent({ type: 'statement', sql });
    try {
      return { sql, result: await orAborted(source.read(sql, tables), signal) };
    } catch (thrown) {
      if (!(thrown instanceof PlatformError && REPAIRABLE.has(thrown.code))) throw thrown;
      return { sql, code: thrown.code, reason: thrown.message };
    }
  }

  async #narrate(sql: string, result: SqlResult): Promise<Outcome> {
    const { accountId, question, signal } = this.#question;
    const { model, limits, onEvent } = this.#parts;
    const { columns, rows, truncated } = result;
    onEvent({ type: 'result', columns, rows, truncated });
    const told = await narrate({
      accountId,
      model,
      question,
      sql,
      result,
      rows: this.#rows,
      limits,
      onText: (text) => onEvent({ type: 'text', text }),
      signal,
    });
    return this.#outcome({ ...told, sql, columns, rowCount: rows.length, truncated });
  }

  #explain(sql: string): Outcome {
    this.#parts.onEvent({ type: 'statement', sql });
    return this.#say({ answer: 'The statement was written and not run.', sql });
  }

  #say(said: Partial<Outcome> & { readonly answer: string }): Outcome {
    this.#parts.onEvent({ type: 'text', text: said.answer });
    return this.#outcome(said);
  }

  #outcome(over: Partial<Outcome>): Outcome {
    const { platform, model, retention } = this.#parts.model;
    return {
      answer: '',
      finish: 'complete',
      sql: null,
      columns: [],
      rowCount: null,
      truncated: false,
      rows: this.#rows,
      platform,
      model,
      retention,
      ...over,
    };
  }
}

/** What the model can do better when it is told. */
const REPAIRABLE: ReadonlySet<string> = new Set(['sql.refused', 'sql.failed']);
