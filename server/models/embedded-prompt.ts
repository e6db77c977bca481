import type { ChatMessage, ModelRequest, ToolDeclaration } from './chat-model.ts';
import type { EngineMessage } from './embedded-engine.ts';

/**
 * A request as the embedded model reads it. Tools are told in words and called in one JSON form that every model
 * can write under a grammar: small models know many native forms, and keep to none of them.
 */
export function engineMessages({ messages, tools, responseSchema }: ModelRequest): EngineMessage[] {
  const instructions = [
    ...(tools.length > 0 ? [toolInstructions(tools)] : []),
    ...(responseSchema === undefined
      ? []
      : [`Answer with JSON of this schema and nothing else:\n${JSON.stringify(responseSchema)}`]),
  ];
  const system = messages.filter(({ role }) => role === 'system').map(textOf);
  const head = [...system, ...instructions].join('\n\n');
  const turns = messages
    .filter(({ role }) => role !== 'system')
    .map((message): EngineMessage => ({
      role: message.role === 'assistant' ? 'model' : 'user',
      text: textOf(message),
    }));
  return joined(head === '' ? turns : [{ role: 'system', text: head }, ...turns]);
}

function toolInstructions(tools: readonly ToolDeclaration[]): string {
  const list = tools.map(
    ({ name, description, parameters }) =>
      `- ${name}: ${description}\n  arguments: ${JSON.stringify(parameters)}`,
  );
  return [
    'You can call these functions:',
    ...list,
    'When a function helps to answer, reply with one line of JSON:',
    '{"function": "<name>", "arguments": {…}}',
    'When no function helps, or its result is already there, reply with',
    '{"function": "none"}',
    'and the answer in words on the next lines.',
  ].join('\n');
}

function textOf(message: ChatMessage): string {
  if (message.role === 'tool') return `Result of ${message.name}:\n${message.text}`;
  if (message.role !== 'assistant') return message.text;
  const calls = message.toolCalls.map(
    (call) => `{"function": ${JSON.stringify(call.name)}, "arguments": ${call.arguments}}`,
  );
  return [...calls, ...(message.text === '' ? [] : [message.text])].join('\n');
}

/** Chat templates want the roles to take turns. */
function joined(messages: readonly EngineMessage[]): EngineMessage[] {
  const result: EngineMessage[] = [];
  for (const message of messages) {
    const last = result.at(-1);
    if (last?.role === message.role) {
      result[result.length - 1] = { role: last.role, text: `${last.text}\n\n${message.text}` };
    } else result.push(message);
  }
  return result;
}
