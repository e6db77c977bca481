import type { Json } from '../../functions/spec.ts';
import type { ChatModel, ModelPart, ModelRequest } from '../../models/chat-model.ts';

/** What a model says to one request. */
export type ScriptedTurn =
  | readonly ModelPart[]
  | ((request: ModelRequest) => readonly ModelPart[] | AsyncIterable<ModelPart>);

export interface ScriptedChatModel extends ChatModel {
  readonly requests: ModelRequest[];
}

/** Says turn after turn; a function instead of a list is asked for every turn. */
export function scriptedChatModel(turns: readonly ScriptedTurn[] | ScriptedTurn): ScriptedChatModel {
  const requests: ModelRequest[] = [];
  return {
    platform: 'own',
    model: 'scripted',
    isOutside: false,
    retention: 'none',
    requests,
    async *stream(request) {
      const index = requests.push(request) - 1;
      const turn = typeof turns === 'function' ? turns : turns[index];
      if (turn === undefined) throw new Error(`the script has no turn ${index}`);
      yield* typeof turn === 'function' ? turn(request) : (turn as readonly ModelPart[]);
    },
  };
}

export function says(...texts: string[]): ModelPart[] {
  return [...texts.map((text) => ({ type: 'text', text }) as const), { type: 'finish', reason: 'stop' }];
}

/** One turn that calls; arguments as an object, or as the text that the model wrote. */
export function calls(...asked: readonly [name: string, args: Json | string][]): ModelPart[] {
  const parts = asked.map(([name, args], at) => ({
    type: 'tool-call' as const,
    call: { id: `c${at}`, name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
  }));
  return [...parts, { type: 'finish', reason: 'tool-calls' }];
}
