import { describe, expect, it } from 'vitest';
import { says, scriptedChatModel } from '../../../server/ai/testing/scripted-chat-model.ts';
import { type SqlCase, sqlCases } from './cases.ts';
import { evaluateSql } from './evaluate-sql.ts';

const asked = (text: string): SqlCase | undefined =>
  sqlCases.find(({ question }) => text.endsWith(`The question: ${question}`));

describe('the evaluation of questions to databases', () => {
  it('has at least 40 cases over three schemas', () => {
    const byschema = Map.groupBy(sqlCases, ({ schema }) => schema);
    expect(sqlCases.length).toBeGreaterThanOrEqual(40);
    expect([...byschema.values()].every((cases) => cases.length >= 13)).toBe(true);
  });

  it('finds a model right that writes the recorded statements', async () => {
    const model = scriptedChatModel(({ messages }) =>
      says(JSON.stringify({ sql: asked(messages.at(-1)?.text ?? '')?.sql ?? null, reason: null })),
    );
    const { schemas, repaired, faults } = await evaluateSql(model, sqlCases, () => undefined);
    expect(schemas.every(({ cases, right }) => cases === right)).toBe(true);
    expect([repaired, faults]).toEqual([0, {}]);
  });

  it('names what another one did wrong', async () => {
    const turns = [null, 'SELECT 1', 'DELETE FROM orders', 'DELETE FROM orders', 'SELECT nme FROM customers'];
    const right = "SELECT name FROM customers WHERE country = 'DE'";
    const script = [...turns, right].map((sql) => says(JSON.stringify({ sql, reason: null })));
    const [first, second, third] = sqlCases;
    const chosen = [first, first, first, second, third].filter((one) => one !== undefined).slice(0, 4);
    const evaluation = await evaluateSql(scriptedChatModel(script), chosen, () => undefined);
    expect(evaluation).toEqual({
      schemas: [{ schema: 'shop', cases: 4, right: 1 }],
      repaired: 1,
      faults: { 'said that it cannot': 1, 'other rows': 1, 'sql.no_statement': 1 },
    });
  });
});
