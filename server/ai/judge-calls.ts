import type { Json } from '../functions/spec.ts';
import type { ToolCall } from '../models/chat-model.ts';
import type { FunctionTool } from './function-tool.ts';

/** A call that may be made, or why not. Either carries the call as the model is shown it again. */
export type JudgedCall =
  | { readonly call: ToolCall; readonly tool: FunctionTool; readonly args: Json; readonly refusal?: never }
  | { readonly call: ToolCall; readonly tool?: never; readonly refusal: string };

export type Judge = (call: ToolCall) => JudgedCall;

/** Decides over calls by the set of functions that was offered, which never changes. */
export function createJudge(tools: readonly FunctionTool[], argumentsLengthMax: number): Judge {
  const offered = new Map(tools.map((tool) => [tool.declaration.name, tool]));
  const ids = new Set<string>();

  return (asked) => {
    const call = withOwnId(asked, ids);
    const tool = offered.get(call.name);
    if (tool === undefined) {
      const names = [...offered.keys()].join(', ') || 'none';
      return { call: presentable(call), refusal: `There is no such function. Offered are: ${names}.` };
    }
    if (call.arguments.length > argumentsLengthMax)
      return {
        call: { ...call, arguments: '{}' },
        refusal: `The arguments are longer than ${argumentsLengthMax} characters.`,
      };
    const args = parseArguments(call.arguments);
    if (args === undefined)
      return { call: { ...call, arguments: '{}' }, refusal: 'The arguments are not a JSON object.' };
    const faults = tool.check(args);
    if (faults.length > 0)
      return { call, refusal: `The arguments break the function's schema: ${faults.join('; ')}.` };
    return { call, tool, args };
  };
}

/** Answers are matched to calls by id, so each call needs one of its own. */
function withOwnId(call: ToolCall, ids: Set<string>): ToolCall {
  const isOwn = call.id !== '' && !ids.has(call.id);
  const id = isOwn ? call.id : `repeat${String(ids.size).padStart(3, '0')}`;
  ids.add(id);
  return isOwn ? call : { ...call, id };
}

/** Providers refuse a history whose names or arguments are not of their form. */
function presentable(call: ToolCall): ToolCall {
  const name = /^[\w-]{1,64}$/.test(call.name) ? call.name : 'unknown';
  return { ...call, name, arguments: '{}' };
}

/** Some models write nothing where there are no arguments. */
function parseArguments(text: string): Json | undefined {
  try {
    const value = JSON.parse(text.trim() === '' ? '{}' : text) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
