import type { CallToolResult } from '@modelcontextprotocol/server';
import type { FunctionTool, ToolResult } from '../../ai/function-tool.ts';
import type { Json } from '../../functions/spec.ts';
import { toPlatformError } from '../../kernel/errors.ts';

/** What a function answered, as MCP says it. A failure is a result too, so that the model can react to it. */
export function toolResult(
  tool: Pick<FunctionTool, 'declaration' | 'outputSchema' | 'checkAnswer'>,
  answer: ToolResult,
): CallToolResult {
  const isText = textual(answer.contentType);
  const text = isText ? decode(answer) : undefined;
  if (answer.truncated) {
    return failure('The answer is too large to be passed on whole.', ...(text === undefined ? [] : [text]));
  }
  if (!answer.ok) return failure(outcome(answer), ...(text === undefined ? [] : [text]));
  if (tool.outputSchema !== undefined) return structured(tool, text);
  if (text !== undefined) return { content: [{ type: 'text', text }] };
  const mimeType = essence(answer.contentType) || 'application/octet-stream';
  const blob = Buffer.from(answer.bytes).toString('base64');
  return {
    content: [
      { type: 'resource', resource: { uri: `function://${tool.declaration.name}/answer`, mimeType, blob } },
    ],
  };
}

/** An error that the model is told, as a result of the call and never as a fault of the protocol. */
export function failure(...texts: readonly string[]): CallToolResult {
  return { isError: true, content: texts.map((text) => ({ type: 'text', text })) };
}

/** A platform error as a result: its own words and code, nothing else of what was thrown. */
export function failureOf(thrown: unknown): CallToolResult {
  const { message, code } = toPlatformError(thrown);
  return failure(`${message} (${code})`);
}

function outcome({ status }: ToolResult): string {
  return status === null ? 'The function did not answer.' : `The function answered with status ${status}.`;
}

/** Clients rely on structured content of the declared schema, so an answer of another form is a failure. */
function structured(tool: Pick<FunctionTool, 'checkAnswer'>, text: string | undefined): CallToolResult {
  const value = text === undefined ? undefined : parse(text);
  if (text === undefined || value === undefined || tool.checkAnswer(value).length > 0) {
    const told = 'The answer of the function does not fit the output schema that it declares.';
    return failure(told, ...(text === undefined ? [] : [text]));
  }
  return { content: [{ type: 'text', text }], structuredContent: value };
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

function textual(contentType: string): boolean {
  return /^$|^text\/|[/+](?:json|xml|javascript|yaml)$/.test(essence(contentType));
}

/** Undefined for bytes that are not UTF-8, whatever their type says. */
function decode({ bytes, truncated }: ToolResult): string | undefined {
  try {
    // A character that the cut went through is left out.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: truncated });
  } catch {
    return undefined;
  }
}
