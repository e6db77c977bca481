import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV4, SharedV4ProviderOptions } from '@ai-sdk/provider';
import type { ProviderConfig, ProviderKind } from './model-settings.ts';

export interface ProviderClient {
  readonly model: LanguageModelV4;
  /** Sent with every request: the switches against retention that the API has. */
  readonly providerOptions: SharedV4ProviderOptions;
}

/** Header of the key, which `provider-fetch.ts` sets. */
export const KEY_HEADERS: Record<ProviderKind, { readonly header: string; readonly prefix: string }> = {
  'openai-compatible': { header: 'authorization', prefix: 'Bearer ' },
  openai: { header: 'authorization', prefix: 'Bearer ' },
  anthropic: { header: 'x-api-key', prefix: '' },
  google: { header: 'x-goog-api-key', prefix: '' },
};

/** Given in the key's place, so that the packages do not look for one in the environment. */
const NO_KEY = 'set-by-fetch';

/**
 * The provider package behind one API. Anthropic and Gemini have no switch in a request: what they keep is a matter
 * of the operator's agreement with them, declared as `retention`.
 */
export function createProviderClient(
  { kind, baseUrl, model }: ProviderConfig,
  fetch: typeof globalThis.fetch,
): ProviderClient {
  const common = { baseURL: baseUrl, apiKey: NO_KEY, fetch };
  switch (kind) {
    case 'openai':
      // Chat Completions rather than Responses, which is made for conversations that the provider stores. Not strict:
      // schemas are the callers' own, and few of them keep to the part of JSON Schema that strict mode knows.
      return {
        model: createOpenAI(common).chat(model),
        providerOptions: { openai: { store: false, strictJsonSchema: false } },
      };
    case 'anthropic':
      return { model: createAnthropic(common)(model), providerOptions: {} };
    case 'google':
      return { model: createGoogle(common)(model), providerOptions: {} };
    case 'openai-compatible': {
      const provider = createOpenAICompatible({
        baseURL: baseUrl,
        name: 'compatible',
        fetch,
        supportsStructuredOutputs: true,
        transformRequestBody: (body) => ({ ...body, ...noRetention(baseUrl) }),
      });
      return {
        model: provider.chatModel(model),
        providerOptions: { compatible: { strictJsonSchema: false } },
      };
    }
  }
}

/** Fields that only these hosts know; others refuse requests for fields that they do not know. */
function noRetention(baseUrl: string): object {
  const host = new URL(baseUrl).hostname;
  if (host === 'api.openai.com') return { store: false };
  if (host === 'openrouter.ai') return { provider: { data_collection: 'deny', zdr: true } };
  return {};
}
