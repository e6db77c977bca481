import type { AiEvent, TraceEntry } from '../../../../../contract/query-service.ts';

type Answer = AiEvent & { readonly type: 'answer' };
type Called = TraceEntry & { readonly type: 'tool-call' };
type Answered = TraceEntry & { readonly type: 'tool-result' };
type Refused = TraceEntry & { readonly type: 'tool-refused' };
type Withheld = TraceEntry & { readonly type: 'tools-withheld' };

/** What came for a question, in order. */
export type Part =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'call'; readonly call: Called; readonly result: Answered | undefined }
  | { readonly is: 'refused'; readonly refused: Refused }
  | { readonly is: 'withheld'; readonly withheld: Withheld };

/** A question and what became of it. */
export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly parts: readonly Part[];
  readonly state: 'running' | 'answered' | 'stopped' | 'failed';
  /** Which model answered, what its provider keeps, and whether the answer is whole. */
  readonly answer?: Pick<Answer, 'finish' | 'platform' | 'model' | 'retention'>;
  readonly error?: Error;
}

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export function beginTurn(id: number, question: string): Turn {
  return { id, question, parts: [], state: 'running' };
}

/** The turn after one more event of its stream. */
export function afterEvent(turn: Turn, event: AiEvent): Turn {
  const { parts } = turn;
  const last = parts.at(-1);
  const before = last?.is === 'text' ? parts.slice(0, -1) : parts;
  switch (event.type) {
    case 'text':
      return {
        ...turn,
        parts: [...before, { is: 'text', text: (last?.is === 'text' ? last.text : '') + event.text }],
      };
    case 'tool-call':
      return { ...turn, parts: [...parts, { is: 'call', call: event, result: undefined }] };
    case 'tool-result':
      return { ...turn, parts: parts.map((part) => withResult(part, event)) };
    case 'tool-refused':
      return { ...turn, parts: [...parts, { is: 'refused', refused: event }] };
    case 'tools-withheld':
      return { ...turn, parts: [...parts, { is: 'withheld', withheld: event }] };
    case 'answer': {
      const { finish, platform, model, retention } = event;
      const answer = { finish, platform, model, retention };
      return { ...turn, state: 'answered', answer, parts: [...before, { is: 'text', text: event.answer }] };
    }
    case 'error':
      return { ...turn, state: 'failed', error: new Error(event.detail) };
    case 'done':
      return turn;
  }
}

function withResult(part: Part, result: Answered): Part {
  return part.is === 'call' && part.call.id === result.id ? { ...part, result } : part;
}

/** The answer in words: what came last. */
export function answerText({ parts }: Turn): string {
  const last = parts.findLast((part) => part.is === 'text');
  return last?.is === 'text' ? last.text : '';
}

/** Earlier turns as the model is told them; those without an answer are none. */
export function historyOf(turns: readonly Turn[]): readonly Message[] {
  return turns
    .filter((turn) => turn.state !== 'running' && answerText(turn).trim() !== '')
    .flatMap((turn) => [
      { role: 'user', content: turn.question },
      { role: 'assistant', content: answerText(turn) },
    ]);
}
