import { type ModelScript, type ScriptedModel, startScriptedModel } from '@jellyfaas/testkit';
import { inspect } from 'node:util';
import { afterEach, expect } from 'vitest';
import { PlatformError } from '../../kernel/errors.ts';
import { type AccountId, newId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import type { ModelPart, ModelRequest, ToolDeclaration } from '../chat-model.ts';
import type { ProviderConfig } from '../model-settings.ts';
import { createProviderModel, type ProviderModelOptions } from '../provider-model.ts';

/** Provider models over real HTTP against a scripted server. Neither canary may be in anything that is thrown. */
export const KEY = 'sk-canary-key-5f1c';
export const PROMPT = 'canary-prompt-9b2e';
export const accountId = newId<AccountId>('acct');
export const weather: ToolDeclaration = {
  name: 'weather',
  description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

export async function serve(script: ModelScript): Promise<ScriptedModel> {
  const server = await startScriptedModel(script);
  opened.push(server);
  return server;
}

interface Opened {
  readonly stream: (change?: Partial<ModelRequest>) => AsyncIterable<ModelPart>;
  /** Pauses before further tries, in milliseconds; none is waited for. */
  readonly pauses: number[];
}

export function open(
  url: string,
  change: Partial<ProviderConfig> = {},
  options: Partial<ProviderModelOptions> = {},
): Opened {
  const pauses: number[] = [];
  const model = createProviderModel({
    config: {
      platform: 'lab',
      kind: 'openai-compatible',
      baseUrl: url,
      model: 'scripted',
      key: new Secret(KEY),
      isOutside: false,
      retention: 'none',
      ...change,
    },
    pause: async (ms) => {
      pauses.push(ms);
      await Promise.resolve();
    },
    random: () => 0.5,
    ...options,
  });
  opened.push(model);
  return { pauses, stream: (given) => model.stream(request(given)) };
}

function request(change: Partial<ModelRequest> = {}): ModelRequest {
  return {
    accountId,
    messages: [{ role: 'user', text: PROMPT }],
    tools: [],
    outputTokensMax: 100,
    signal: new AbortController().signal,
    ...change,
  };
}

export async function all(stream: AsyncIterable<ModelPart>): Promise<ModelPart[]> {
  const parts: ModelPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

export async function text(stream: AsyncIterable<ModelPart>): Promise<string> {
  return (await all(stream)).map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** The error of a stream that has to fail, after a search for both canaries in all that it shows. */
export async function failure(stream: AsyncIterable<ModelPart>): Promise<PlatformError> {
  const thrown: unknown = await all(stream).then(
    () => expect.unreachable('the stream ended well'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(PlatformError);
  const error = thrown as PlatformError;
  const shown = [JSON.stringify(error), error.message, error.stack, inspect(error, { depth: 20 })].join('\n');
  expect(shown).not.toMatch(new RegExp(`${KEY}|${PROMPT}|127\\.0\\.0\\.1`));
  expect(error.cause).toBeUndefined();
  return error;
}
