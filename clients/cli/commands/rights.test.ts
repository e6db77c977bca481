import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Outcome, runAgainst } from '../testing/run-against.ts';

const REQUEST = {
  id: 'req_0000000000000000000a',
  kind: 'erasure',
  purpose: null,
  state: 'running',
  byOperator: false,
  receivedOn: '2026-11-23',
  dueOn: '2026-12-23',
  daysLeft: 30,
  reminder: 0,
  extension: null,
  endedOn: null,
  refusal: null,
  missing: 0,
  receipt: null,
  next: 'POST /api/v1/rights/erasure',
};
const DONE = {
  ...REQUEST,
  kind: 'restriction',
  state: 'done',
  endedOn: '2026-11-23',
  receipt: 'a.b.c',
  next: null,
};
const ACCOUNT = 'acct_0000000000000000000a';
const OPEN = { ...REQUEST, daysLeft: -2, account: { id: ACCOUNT, name: 'Ada', email: 'ada@example.org' } };
const ANSWERS: readonly (readonly [asked: RegExp, answer: object])[] = [
  [/me$/, { id: ACCOUNT, email: 'ada@example.org' }],
  [/^GET .*\/rights\/requests$/, { requests: [REQUEST] }],
  [/all-requests$/, { ...OPEN, open: [OPEN], overdue: 1 }],
  [/refusal$/, { ...OPEN, state: 'refused', refusal: 'It was answered.', receipt: 'a.b.c' }],
  [/extension$/, { ...OPEN, state: 'extended', extension: { on: '2026-11-23', reason: 'Much to look at.' } }],
  [/all-requests/, { ...OPEN, state: 'done', receipt: 'a.b.c' }],
  [
    /erasure$/,
    { receipt: 'a.b.c', retained: [{ what: 'the log of backups', why: 'it accounts for reads' }] },
  ],
  [/restriction|objections/, { request: DONE }],
  [/./, REQUEST],
];

async function against(words: readonly string[]): Promise<Outcome & { asked: string[] }> {
  const asked: string[] = [];
  const answer = ({ method, url }: { method: string; url: string }, response: ServerResponse): void => {
    asked.push(`${method} ${url}`);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(ANSWERS.find(([form]) => form.test(`${method} ${url}`))?.[1]));
  };
  return { ...(await runAgainst(answer, ['rights', ...words])), asked };
}

describe('rights', () => {
  it('lists what was asked for with its deadline and the step that is left', async () => {
    const { out } = await against(['list']);
    expect(out).toContain('2026-12-23');
    expect(out).toContain('POST /api/v1/rights/erasure');
    expect(JSON.parse((await against(['list', '--json'])).out)).toEqual({ requests: [REQUEST] });
  });

  it('says when it is due, or shows the receipt', async () => {
    expect((await against(['request', 'erasure', '--by-operator'])).out).toContain('Due on 2026-12-23.');
    expect((await against(['restrict'])).out).toContain('Receipt: a.b.c');
  });

  it.each([
    [['restrict'], 'POST /api/v1/rights/restriction'],
    [['lift'], 'DELETE /api/v1/rights/restriction'],
    [['object', 'origin-ip'], 'POST /api/v1/rights/objections/origin-ip'],
    [['object', 'statistics', '--withdraw'], 'DELETE /api/v1/rights/objections/statistics'],
  ])('%j asks for it at the right place', async (words, request) => {
    expect((await against(words)).asked).toEqual([request]);
  });

  it('erases only the account that was named, and says what stays', async () => {
    const wrong = await against(['erase', '--account', 'acct_other']);
    expect(wrong).toMatchObject({ code: 2, asked: ['GET /api/v1/me'] });
    const { out, asked } = await against(['erase', '--account', ACCOUNT, '--yes']);
    expect(asked.at(-1)).toBe('POST /api/v1/rights/erasure');
    expect(out).toContain('the log of backups (it accounts for reads)');
  });

  it('shows the owner what is overdue, and answers it', async () => {
    expect((await against(['all'])).out).toContain('1 OVERDUE');
    expect((await against(['extend', REQUEST.id, '--reason', 'Much to look at.'])).out).toContain(
      'Extended: Much to look at.',
    );
    expect((await against(['refuse', REQUEST.id, '--reason', 'It was answered.'])).out).toContain('Refused:');
    expect((await against(['complete', REQUEST.id, '--yes'])).asked).toEqual([
      `POST /api/v1/rights/all-requests/${REQUEST.id}/completion`,
    ]);
    expect((await against(['note', 'erasure', '--email', 'ada@example.org'])).asked).toEqual([
      'POST /api/v1/rights/all-requests',
    ]);
  });
});
