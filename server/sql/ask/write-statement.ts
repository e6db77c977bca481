import { type Step, runStep } from '../../ai/model-step.ts';
import { createResponseForm } from '../../ai/response-form.ts';
import { createFence } from '../../ai/untrusted.ts';
import type { AccountId } from '../../kernel/ids.ts';
import type { ChatMessage, ChatModel } from '../../models/chat-model.ts';
import type { Dialect } from '../sql.ts';
import type { AskLimits } from './question.ts';

export interface WriterParts {
  readonly accountId: AccountId;
  readonly model: ChatModel;
  readonly dialect: Dialect;
  /** What the statement has to find out. */
  readonly question: string;
  readonly schemaText: string;
  /** `2026-11-23`, UTC: questions speak of yesterday. */
  readonly today: string;
  readonly limits: AskLimits;
  readonly signal: AbortSignal;
}

/** What the model wrote. */
export type Draft =
  | { readonly type: 'statement'; readonly sql: string }
  /** It says that these tables do not answer the question, and why. */
  | { readonly type: 'none'; readonly reason: string }
  | { readonly type: 'unreadable'; readonly reason: string }
  | { readonly type: 'filtered' };

const FORM = createResponseForm({
  type: 'object',
  properties: {
    sql: {
      type: ['string', 'null'],
      maxLength: 4000,
      description: 'One SELECT statement; null when these tables do not answer the question',
    },
    reason: {
      type: ['string', 'null'],
      maxLength: 400,
      description:
        'Why there is no statement, for the user, or what has to be asked more precisely; else null',
    },
  },
  required: ['sql', 'reason'],
  additionalProperties: false,
});

const DIALECTS: Readonly<Record<Dialect, string>> = {
  sqlite: 'SQLite (names are quoted "like this"; dates are text such as 2026-11-23)',
  mysql: 'MySQL (names are quoted `like this`)',
  postgres: 'PostgreSQL (names are quoted "like this")',
};

/** Has one statement written, and once told what is wrong with it, another. It never sees a row. */
export class StatementWriter {
  readonly #parts: WriterParts;
  readonly #messages: ChatMessage[];
  readonly #fence = createFence('What a database says');

  constructor(parts: WriterParts) {
    const { dialect, question, schemaText, today } = parts;
    this.#parts = parts;
    this.#messages = [
      {
        role: 'system',
        text: [
          `You write one SELECT statement in the dialect of ${DIALECTS[dialect]} that finds out what a user asks.`,
          'It reads nothing but the tables shown, changes nothing, has no comments and is one statement. ' +
            'Select the columns that are asked for, under plain names, and sort where the question implies an order.',
          'When these tables do not answer the question, or it can be meant in ways that differ, say so instead of ' +
            'guessing.',
          `Today is ${today}.`,
          this.#fence.instruction,
          FORM.instruction,
        ].join('\n'),
      },
      {
        role: 'user',
        text: `The tables:\n${this.#fence.wrap(schemaText)}\n\nThe question: ${question}`,
      },
    ];
  }

  async write(): Promise<Draft> {
    const { accountId, model, limits, signal } = this.#parts;
    const request = {
      accountId,
      messages: [...this.#messages],
      tools: [],
      responseSchema: FORM.schema,
      outputTokensMax: limits.statementTokensMax,
      signal,
    };
    const { text, finish } = await runStep(model, request, {
      textLengthMax: limits.statementLengthMax,
      callsMax: 0,
      onText: () => undefined,
    });
    this.#messages.push({ role: 'assistant', text, toolCalls: [] });
    return draftOf(text, finish);
  }

  /** For the next `write`: why the last one was in vain. */
  correct(reason: string): void {
    this.#messages.push({
      role: 'user',
      text: `That cannot be run:\n${this.#fence.wrap(reason)}\nWrite it anew. ${FORM.instruction}`,
    });
  }
}

function draftOf(text: string, finish: Step['finish']): Draft {
  if (finish === 'filtered') return { type: 'filtered' };
  const { json, faults } = FORM.read(text);
  if (json === undefined) return { type: 'unreadable', reason: `The answer is not of the form: ${faults}.` };
  const { sql, reason } = JSON.parse(json) as { sql: string | null; reason: string | null };
  // Guards take one statement, and its end is no second one.
  const statement = sql?.replace(/[\s;]+$/, '').trimStart() ?? '';
  if (statement !== '') return { type: 'statement', sql: statement };
  const told = reason?.trim() ?? '';
  return { type: 'none', reason: told === '' ? 'These tables do not answer the question.' : told };
}
