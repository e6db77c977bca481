import { describe, expect, it } from 'vitest';
import type { AiEvent } from '../../../../../contract/query-service.ts';
import { type Turn, afterEvent, answerText, beginTurn, historyOf } from './conversation.ts';

function turnOf(events: readonly AiEvent[], question = 'What?'): Turn {
  return events.reduce(afterEvent, beginTurn(1, question));
}

const answer = (text: string): AiEvent => ({
  type: 'answer',
  answer: text,
  finish: 'complete',
  platform: 'endpoint',
  model: 'm',
  retention: 'none',
});
const call: AiEvent = { type: 'tool-call', id: 'c1', function: 'greeter', arguments: { name: 'Ada' } };
const result: AiEvent = { type: 'tool-result', id: 'c1', ok: true, status: 200, result: 'hello' };

describe('a turn', () => {
  it('shows text, calls with their results and the answer, in their order and once', () => {
    const turn = turnOf([
      { type: 'text', text: 'Let me ' },
      { type: 'text', text: 'look.' },
      call,
      result,
      { type: 'text', text: 'It sa' },
      answer('It says hello.'),
      { type: 'done' },
    ]);
    expect(turn.parts).toEqual([
      { is: 'text', text: 'Let me look.' },
      { is: 'call', call, result },
      { is: 'text', text: 'It says hello.' },
    ]);
    expect(turn).toMatchObject({ state: 'answered', answer: { model: 'm', finish: 'complete' } });
    expect(answerText(turn)).toBe('It says hello.');
  });

  it('fails with what the platform says', () => {
    const turn = turnOf([{ type: 'error', code: 'ai.bad_calls', detail: 'It insists.', status: 502 }]);
    expect(turn).toMatchObject({ state: 'failed', error: { message: 'It insists.' } });
  });
});

describe('the history', () => {
  it('tells the model questions and answers, and leaves out turns that have none', () => {
    const stopped: Turn = { ...turnOf([{ type: 'text', text: 'Half an' }], 'Long?'), state: 'stopped' };
    const failed = turnOf([{ type: 'error', code: 'x.y', detail: 'No.', status: 500 }], 'Failing?');
    const turns = [turnOf([call, result, answer('Yes.')]), failed, stopped, beginTurn(4, 'Now?')];
    expect(historyOf(turns)).toEqual([
      { role: 'user', content: 'What?' },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'Long?' },
      { role: 'assistant', content: 'Half an' },
    ]);
  });
});
