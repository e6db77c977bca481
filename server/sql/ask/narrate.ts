import { type Step, runStep } from '../../ai/model-step.ts';
import { createFence } from '../../ai/untrusted.ts';
import type { AccountId } from '../../kernel/ids.ts';
import type { ChatModel } from '../../models/chat-model.ts';
import type { SqlResult } from '../sql.ts';
import { fillTemplate, valueText } from './fill-template.ts';
import type { AskLimits, RowsShown, SqlAnswer } from './question.ts';

export interface NarrationParts {
  readonly accountId: AccountId;
  readonly model: ChatModel;
  readonly question: string;
  readonly sql: string;
  readonly result: SqlResult;
  readonly rows: RowsShown;
  readonly limits: AskLimits;
  readonly onText: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Has the rows told in words. The model is offered no tool: whatever stands in a row can make it do nothing. */
export async function narrate(parts: NarrationParts): Promise<Pick<SqlAnswer, 'answer' | 'finish'>> {
  if (parts.rows === 'all') {
    const { text, finish } = await speak(parts, tellRows(parts), parts.onText);
    return { answer: text, finish: finishOf(finish) };
  }
  const { text, finish } = await speak(parts, tellShape(parts), () => undefined);
  const answer = finish === 'filtered' ? '' : fillTemplate(text, parts.result);
  if (answer !== '') parts.onText(answer);
  return { answer, finish: finishOf(finish) };
}

interface Told {
  readonly instruction: string;
  readonly outcome: string;
}

function speak(parts: NarrationParts, told: Told, onText: (text: string) => void): Promise<Step> {
  const { accountId, model, question, sql, limits, signal } = parts;
  const text = `The question: ${question}\n\nThe statement that was run:\n${sql}\n\n${told.outcome}`;
  return runStep(
    model,
    {
      accountId,
      messages: [
        { role: 'system', text: told.instruction },
        { role: 'user', text },
      ],
      tools: [],
      outputTokensMax: limits.answerTokensMax,
      signal,
    },
    { textLengthMax: limits.answerLengthMax, callsMax: 0, onText },
  );
}

function tellRows({ result, limits }: NarrationParts): Told {
  const fence = createFence('The result of the statement');
  const { lines, shown } = rowLines(result, limits.rowsBytesMax);
  const count = `The result has ${countText(result)}.`;
  const part = shown < result.rows.length ? ` Only the first ${shown} are shown; say that it is a part.` : '';
  return {
    instruction: [
      'You answer a question from the result of a database statement that was run for it, briefly, in the language of ' +
        'the question. Use only values that stand in the result. When they do not answer the question, say so.',
      fence.instruction,
    ].join('\n'),
    outcome: `${count}${part}\n${fence.wrap(lines)}`,
  };
}

function tellShape({ result }: NarrationParts): Told {
  const fence = createFence('The names of columns');
  return {
    instruction: [
      'You answer a question from the result of a database statement that was run for it, briefly, in the language of ' +
        'the question. You are not shown the values. Where one belongs, write a placeholder, which is filled in later: ' +
        '{{0.name}} is the column "name" of the first row, {{1.name}} that of the second; {{rows}} is all rows as a ' +
        'table. Write no value yourself, and no other placeholder.',
      fence.instruction,
    ].join('\n'),
    outcome: `The result has ${countText(result)}, with these columns:\n${fence.wrap(JSON.stringify(result.columns))}`,
  };
}

function countText({ rows, truncated }: SqlResult): string {
  const count = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
  return truncated ? `more than ${count}` : count;
}

const VALUE_LENGTH_MAX = 500;

/** One JSON array per line, columns first, as many rows as fit. */
function rowLines({ columns, rows }: SqlResult, bytesMax: number): { lines: string; shown: number } {
  const lines = [JSON.stringify(columns)];
  let bytes = 0;
  for (const row of rows) {
    const line = JSON.stringify(row.map((value) => plain(value)));
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > bytesMax) break;
    lines.push(line);
  }
  return { lines: lines.join('\n'), shown: lines.length - 1 };
}

function plain(value: SqlResult['rows'][number][number]): string | number | boolean | null {
  if (typeof value === 'object' && value !== null) return valueText(value);
  if (typeof value !== 'string' || value.length <= VALUE_LENGTH_MAX) return value;
  return `${value.slice(0, VALUE_LENGTH_MAX)}…`;
}

function finishOf(finish: Step['finish']): SqlAnswer['finish'] {
  return finish === 'length' || finish === 'filtered' ? finish : 'complete';
}
