import type { Principal } from '../../../accounts/principal.ts';
import type { FunctionTool, FunctionTools, ToolCaller, ToolResult } from '../../../ai/function-tool.ts';
import type { Json } from '../../../functions/spec.ts';
import { notFound } from '../../../kernel/errors.ts';

/** A call that a fake tool received, with its end in the test's hand. */
export interface FakeCall {
  readonly name: string;
  readonly args: Json;
  readonly caller: ToolCaller;
}

export interface FakeTools extends FunctionTools {
  /** Tools of each account. */
  readonly owned: Map<string, FunctionTool[]>;
  /** Seen by everybody. */
  readonly published: FunctionTool[];
  readonly calls: FakeCall[];
  /** A tool that answers what `answer` gives; without `over`, a GET without parameters. */
  tool(
    name: string,
    answer: (call: FakeCall) => Promise<ToolResult>,
    over?: Partial<FunctionTool>,
  ): FunctionTool;
}

export function text(body: string, contentType = 'application/json', status = 200): ToolResult {
  return { ok: status < 400, status, contentType, bytes: Buffer.from(body), truncated: false };
}

/** In-memory stand-in for the library as tools, just true enough to tell owners and outcomes apart. */
export function fakeTools(): FakeTools {
  const owned = new Map<string, FunctionTool[]>();
  const published: FunctionTool[] = [];
  const calls: FakeCall[] = [];
  const visible = ({ accountId }: Principal): FunctionTool[] => [
    ...new Set([...(owned.get(accountId) ?? []), ...published]),
  ];
  return {
    owned,
    published,
    calls,
    tool: (name, answer, over = {}) => ({
      declaration: {
        name,
        description: `Does ${name}.`,
        parameters: { type: 'object', properties: {}, additionalProperties: false },
      },
      isReadOnly: true,
      isOpenWorld: false,
      outputSchema: undefined,
      check: () => [],
      checkAnswer: () => [],
      call: (args, caller) => {
        const call = { name, args, caller };
        calls.push(call);
        return answer(call);
      },
      ...over,
    }),
    library: async (principal) => visible(principal),
    async named(principal, shortnames) {
      return shortnames.map((name) => {
        const tool = visible(principal).find(({ declaration }) => declaration.name === name);
        if (tool === undefined) throw notFound('function');
        return tool;
      });
    },
  };
}
