import type { ListToolsResult, Tool } from '@modelcontextprotocol/server';
import type { FunctionTool } from '../../ai/function-tool.ts';
import { PlatformError } from '../../kernel/errors.ts';

/** Beyond this many functions a list would fill a model's context, so two tools stand for all of them. */
export const LISTED_MAX = 100;
const PAGE = 50;
const FOUND_MAX = 20;

/** Underscores cannot occur in a shortname, so neither name can be that of a function. */
export const FIND = 'find_functions';
export const CALL = 'call_function';

const FIND_TOOL: Tool = {
  name: FIND,
  title: 'Find functions',
  description: `Searches the function library by words of name and description. Call what it finds with ${CALL}.`,
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string', maxLength: 500, description: 'Words to look for.' } },
    required: ['query'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      functions: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            name: { type: 'string' },
            description: { type: 'string' },
            inputSchema: { type: 'object' },
          },
          required: ['name', 'description', 'inputSchema'],
        },
      },
      more: { type: 'boolean', description: 'There are more; search with other words.' },
    },
    required: ['functions', 'more'],
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
};

const CALL_TOOL: Tool = {
  name: CALL,
  title: 'Call a function',
  description: `Calls one function of the library by its name, with arguments of the schema that ${FIND} told.`,
  inputSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'Name of the function.' },
      arguments: { type: 'object', description: "Arguments, of the function's own inputSchema." },
    },
    required: ['name'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: false, openWorldHint: true },
};

/** A page of the tools in order of their names; the cursor is the last name, so that changes in between do no harm. */
export function listTools(library: readonly FunctionTool[], cursor: string | undefined): ListToolsResult {
  if (library.length > LISTED_MAX) return { tools: [FIND_TOOL, CALL_TOOL] };
  const after = cursor === undefined ? '' : nameIn(cursor);
  const rest = library.filter((tool) => tool.declaration.name > after).toSorted(byName);
  const page = rest.slice(0, PAGE);
  const last = page.at(-1);
  const more = last !== undefined && rest.length > PAGE;
  return {
    tools: page.map((tool) => described(tool)),
    ...(more && { nextCursor: Buffer.from(last.declaration.name).toString('base64url') }),
  };
}

function nameIn(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (/^[\w-]{1,64}$/.test(name)) return name;
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'mcp.invalid_cursor',
    message: 'The cursor is not one that tools/list gave. Begin without a cursor.',
  });
}

function described({ declaration, isReadOnly, isOpenWorld, outputSchema }: FunctionTool): Tool {
  const { name, description, parameters } = declaration;
  return {
    name,
    description,
    inputSchema: parameters as Tool['inputSchema'],
    ...(outputSchema !== undefined && { outputSchema: outputSchema as NonNullable<Tool['outputSchema']> }),
    annotations: { readOnlyHint: isReadOnly, openWorldHint: isOpenWorld },
  };
}

export interface FoundFunctions {
  readonly functions: readonly {
    readonly name: string;
    readonly description: string;
    inputSchema: unknown;
  }[];
  readonly more: boolean;
}

/** Functions in which most of the words occur; a word in the name counts more than one in the description. */
export function findFunctions(library: readonly FunctionTool[], query: string): FoundFunctions {
  const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu))];
  const hits = library
    .map((tool) => ({ tool, score: scoreOf(tool, words) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || byName(a.tool, b.tool));
  return {
    functions: hits.slice(0, FOUND_MAX).map(({ tool: { declaration } }) => ({
      name: declaration.name,
      description: declaration.description,
      inputSchema: declaration.parameters,
    })),
    more: hits.length > FOUND_MAX,
  };
}

function scoreOf({ declaration }: FunctionTool, words: readonly string[]): number {
  const description = declaration.description.toLowerCase();
  let score = 0;
  for (const word of words) {
    if (declaration.name.includes(word)) score += 3;
    else if (description.includes(word)) score += 1;
  }
  return score;
}

function byName(a: FunctionTool, b: FunctionTool): number {
  return a.declaration.name < b.declaration.name ? -1 : 1;
}
