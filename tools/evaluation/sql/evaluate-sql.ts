import { PlatformError } from '../../../server/kernel/errors.ts';
import type { AccountId } from '../../../server/kernel/ids.ts';
import type { ChatModel } from '../../../server/models/chat-model.ts';
import { answerQuestion } from '../../../server/sql/ask/answer-question.ts';
import { type SqlAnswer, askLimits } from '../../../server/sql/ask/question.ts';
import { type SqliteSource, openSqliteSource } from '../../../server/sql/testing/sqlite-source.ts';
import { SCHEMAS, type SchemaName, type SqlCase, TODAY } from './cases.ts';
import { matchesResult } from './compare-rows.ts';

/** What one model did over all cases. */
export interface SqlEvaluation {
  readonly schemas: readonly {
    readonly schema: SchemaName;
    readonly cases: number;
    readonly right: number;
  }[];
  /** Statements that were right only after the model was told what was wrong with the first. */
  readonly repaired: number;
  readonly faults: Readonly<Record<string, number>>;
}

interface Outcome {
  readonly case: SqlCase;
  readonly fault: string | undefined;
  readonly isRepaired: boolean;
}

const ACCOUNT = 'acct_evaluation0000000000' as AccountId;

/** Asks one question after the other. `onCase` hears each outcome. */
export async function evaluateSql(
  model: ChatModel,
  cases: readonly SqlCase[],
  onCase: (one: SqlCase, fault: string | undefined) => void,
): Promise<SqlEvaluation> {
  const outcomes: Outcome[] = [];
  for (const one of cases) {
    const outcome = await outcomeOf(statementsOnly(model), one);
    outcomes.push(outcome);
    onCase(one, outcome.fault);
  }
  return summary(outcomes);
}

async function outcomeOf(model: ChatModel, one: SqlCase): Promise<Outcome> {
  const source = openSqliteSource(one.schema);
  try {
    const answer = await answerOf(model, one, source);
    const fault = await faultOf(one, answer, source);
    const isRepaired = fault === undefined && answer.trace.some(({ type }) => type === 'refused');
    return { case: one, fault, isRepaired };
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    return { case: one, fault: thrown.code, isRepaired: false };
  } finally {
    await source.close();
  }
}

function answerOf(model: ChatModel, one: SqlCase, source: SqliteSource): Promise<SqlAnswer> {
  return answerQuestion(
    {
      accountId: ACCOUNT,
      question: one.question,
      source,
      tables: SCHEMAS[one.schema],
      platform: undefined,
      rows: 'none',
      explainOnly: false,
      signal: new AbortController().signal,
    },
    { model, today: TODAY, limits: askLimits, onEvent: () => undefined },
  );
}

async function faultOf(one: SqlCase, answer: SqlAnswer, source: SqliteSource): Promise<string | undefined> {
  if (one.sql === null) return answer.sql === null ? undefined : 'answered what cannot be';
  const found = answer.trace.find((step) => step.type === 'result');
  if (found === undefined) return 'said that it cannot';
  const expected = await source.read(one.sql, SCHEMAS[one.schema]);
  return matchesResult(expected, found, one.isOrdered === true) ? undefined : 'other rows';
}

/** Only statements count: the words about them are not waited for. */
function statementsOnly(model: ChatModel): ChatModel {
  return {
    ...model,
    async *stream(request) {
      if (request.responseSchema !== undefined) yield* model.stream({ ...request, temperature: 0 });
      else yield { type: 'finish', reason: 'stop' };
    },
  };
}

function summary(outcomes: readonly Outcome[]): SqlEvaluation {
  const faults: Record<string, number> = {};
  for (const { fault } of outcomes) if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1;
  const bySchema = Map.groupBy(outcomes, (outcome) => outcome.case.schema);
  return {
    schemas: [...bySchema].map(([schema, all]) => ({
      schema,
      cases: all.length,
      right: all.filter(({ fault }) => fault === undefined).length,
    })),
    repaired: outcomes.filter(({ isRepaired }) => isRepaired).length,
    faults,
  };
}
