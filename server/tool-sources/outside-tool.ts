import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { unanswered } from '../ai/call-function.ts';
import type { FunctionTool, ToolResult } from '../ai/function-tool.ts';
import { type SchemaCheck, compileCheck } from '../ai/schema-check.ts';
import { toPlatformError } from '../kernel/errors.ts';
import type { ToolDeclaration } from '../models/chat-model.ts';
import type { Connection } from './connection.ts';

export interface OutsideToolParts {
  readonly source: string;
  readonly tool: Tool;
  readonly declaration: ToolDeclaration;
  readonly connection: Pick<Connection, 'call'>;
}

/** An approved tool of an outside server. Its schema is the approved one, so that is what arguments have to fit. */
export function createOutsideTool({ source, tool, declaration, connection }: OutsideToolParts): FunctionTool {
  let check: SchemaCheck | undefined;
  return {
    declaration,
    source,
    isReadOnly: false,
    isOpenWorld: true,
    outputSchema: undefined,
    check: (args) => (check ??= compileCheck(declaration.parameters))(args),
    checkAnswer: () => [],
    async call(args, { signal, resultBytesMax }) {
      try {
        return shown(await connection.call(tool, args, signal), resultBytesMax);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        return unanswered(toPlatformError(thrown));
      }
    },
  };
}

function shown(result: CallToolResult, bytesMax: number): ToolResult {
  const bytes = Buffer.from(textOf(result), 'utf8');
  return {
    ok: result.isError !== true,
    status: null,
    contentType: 'text/plain; charset=utf-8',
    bytes: bytes.subarray(0, bytesMax),
    truncated: bytes.byteLength > bytesMax,
  };
}

/** Models read text: anything else is named and left out. */
function textOf({ content, structuredContent }: CallToolResult): string {
  const hasText = content.some(({ type }) => type === 'text');
  const texts = content.map(blockText);
  if (!hasText && structuredContent !== undefined) texts.push(JSON.stringify(structuredContent));
  return texts.join('\n\n');
}

function blockText(block: CallToolResult['content'][number]): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `(${block.type === 'image' ? 'an image' : 'a recording'}; its content is not shown)`;
    case 'resource':
      return 'text' in block.resource ? block.resource.text : '(a file; its content is not shown)';
    case 'resource_link':
      return `(a link to ${block.name}: ${block.uri})`;
  }
}
