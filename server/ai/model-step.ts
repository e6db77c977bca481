import { orAborted } from '../kernel/abort.ts';
import type { ChatModel, ModelPart, ModelRequest, ToolCall } from '../models/chat-model.ts';
import { aiErrors } from './errors.ts';

export interface Step {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: Extract<ModelPart, { type: 'finish' }>['reason'];
}

export interface StepOptions {
  /** Characters; a longer text ends the step with the finish `length`. */
  readonly textLengthMax: number;
  readonly callsMax: number;
  /** Hears well-formed text only: a pair of surrogates never comes in two parts. */
  readonly onText: (text: string) => void;
}

/** One request to the model, read to its end. Rejects with the signal's reason as soon as it aborts. */
export async function runStep(model: ChatModel, request: ModelRequest, options: StepOptions): Promise<Step> {
  let text = '';
  let held = '';
  const calls: ToolCall[] = [];
  const say = (piece: string): void => {
    text += piece;
    if (piece !== '') options.onText(piece);
  };
  for await (const part of untilAborted(model.stream(request), request.signal)) {
    if (part.type === 'text') {
      const room = options.textLengthMax - text.length;
      const piece = (held + part.text).slice(0, room);
      held = /[\ud800-\udbff]$/.test(piece) ? piece.slice(-1) : '';
      say(held === '' ? piece : piece.slice(0, -1));
      if (held.length + part.text.length > room) return { text, calls, finish: 'length' };
    } else if (part.type === 'tool-call') {
      calls.push(part.call);
      // A model that calls without end is not waited for: the caller sees that there are too many.
      if (calls.length > options.callsMax) return { text, calls, finish: 'tool-calls' };
    } else {
      say(held.toWellFormed());
      return { text, calls, finish: part.reason };
    }
  }
  throw aiErrors.cutShort();
}

/** Ends with the signal even if the source does not heed it. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    void iterator.return?.().then(undefined, () => undefined);
  }
}
