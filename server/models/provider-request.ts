import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolCallPart,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import type { Json } from '../functions/spec.ts';
import type { ChatMessage, ModelRequest, ToolCall } from './chat-model.ts';

/** How the answer's schema is told: to the API, or in words where the API does not know schemas. */
export type SchemaMode = 'native' | 'instructed';

/** A request in the form of the provider packages. Who asks is not in it: providers see no account. */
export function callOptions(request: ModelRequest, schemaMode: SchemaMode): LanguageModelV4CallOptions {
  const { messages, tools, responseSchema, outputTokensMax, temperature } = request;
  const instruction =
    responseSchema !== undefined && schemaMode === 'instructed' ? schemaInstruction(responseSchema) : [];
  return {
    prompt: promptOf(messages, instruction),
    maxOutputTokens: outputTokensMax,
    ...(temperature !== undefined && { temperature }),
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        name,
        description,
        inputSchema: parameters as object,
      })),
    }),
    ...(responseSchema !== undefined && {
      responseFormat: {
        type: 'json' as const,
        ...(schemaMode === 'native' && { schema: responseSchema as object }),
      },
    }),
  };
}

function schemaInstruction(schema: Json): string[] {
  return [
    `Answer with one JSON value and nothing else. It has to match this JSON Schema: ${JSON.stringify(schema)}`,
  ];
}

/** System texts become one at the front, results of one turn one message: some providers take no other order. */
function promptOf(messages: readonly ChatMessage[], instruction: readonly string[]): LanguageModelV4Prompt {
  const system = messages.flatMap((message) => (message.role === 'system' ? [message.text] : []));
  const prompt: LanguageModelV4Message[] = [];
  const instructions = [...system, ...instruction].join('\n\n');
  if (instructions !== '') prompt.push({ role: 'system', content: instructions });
  for (const message of messages) add(prompt, message);
  return prompt;
}

function add(prompt: LanguageModelV4Message[], message: ChatMessage): void {
  if (message.role === 'user') {
    prompt.push({ role: 'user', content: [{ type: 'text', text: message.text }] });
  } else if (message.role === 'assistant') {
    const text = message.text === '' ? [] : [{ type: 'text' as const, text: message.text }];
    const content = [...text, ...message.toolCalls.map(toolCallPart)];
    if (content.length > 0) prompt.push({ role: 'assistant', content });
  } else if (message.role === 'tool') {
    const result = {
      type: 'tool-result' as const,
      toolCallId: message.callId,
      toolName: message.name,
      output: { type: 'text' as const, value: message.text },
    };
    const last = prompt.at(-1);
    if (last?.role === 'tool') last.content.push(result);
    else prompt.push({ role: 'tool', content: [result] });
  }
}

function toolCallPart(call: ToolCall): LanguageModelV4ToolCallPart {
  return {
    type: 'tool-call',
    toolCallId: call.id,
    toolName: call.name,
    input: objectOf(call.arguments),
    ...(call.providerState !== undefined && {
      providerOptions: JSON.parse(call.providerState) as SharedV4ProviderOptions,
    }),
  };
}

/** Providers take objects only; of arguments that were none the model is told in the call's result. */
function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
