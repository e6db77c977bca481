import type { AccountId } from '../kernel/ids.ts';
import type { Json } from '../functions/spec.ts';

/**
 * One model behind any engine: embedded, or a provider. Implementations keep nothing of what passes through, name
 * no content in their errors, and stop at once when the signal aborts.
 */
export interface ChatModel {
  /** Platform name that callers select by, for example `embedded` or `gemini`. */
  readonly platform: string;
  /** The engine's own name of the model; shown to the caller in the answer, stored nowhere. */
  readonly model: string;
  /** Whether the text leaves this installation. Such a model serves only accounts that chose it (decision D9). */
  readonly isOutside: boolean;
  /** What the other side keeps, as the operator declared: shown to callers. */
  readonly retention: 'none' | 'provider';
  /** Parts in order, ending with exactly one `finish`. Rejects with `models.*` errors. */
  stream(request: ModelRequest): AsyncIterable<ModelPart>;
}

export interface ModelRequest {
  /** Keeps caches of one account from serving another. */
  readonly accountId: AccountId;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDeclaration[];
  /** The answer has to be JSON of this schema. Not combined with tools in one request. */
  readonly responseSchema?: Json;
  readonly outputTokensMax: number;
  readonly temperature?: number;
  readonly signal: AbortSignal;
}

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  /** What a tool answered: untrusted data, marked as such in what the model sees. */
  | { readonly role: 'tool'; readonly callId: string; readonly name: string; readonly text: string };

export interface ToolDeclaration {
  /** `[a-zA-Z0-9_-]{1,64}`; a function's shortname. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema (2020-12) of an object. */
  readonly parameters: Json;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it; may be invalid. */
  readonly arguments: string;
  /** Of no meaning to anyone but the model that made the call, which wants it back with the call in the next step. */
  readonly providerState?: string;
}

export type ModelPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | { readonly type: 'finish'; readonly reason: 'stop' | 'length' | 'tool-calls' | 'filtered' | 'other' };

/** The models of this installation. */
export interface Models {
  /** What callers may choose from; empty on a bare install. */
  list(): readonly {
    readonly platform: string;
    readonly model: string;
    readonly isOutside: boolean;
    readonly retention: 'none' | 'provider';
  }[];
  /**
   * The model of `platform`, or the account's choice, or the default. Errors: `models.none_configured` (names the
   * two ways to have one), `models.unknown_platform` (names the configured ones), `models.not_chosen` for an outside
   * provider that the account has not chosen.
   */
  select(accountId: AccountId, platform: string | undefined): Promise<ChatModel>;
  /** What the account chose, if it is still configured. */
  choice(accountId: AccountId): Promise<string | undefined>;
  /** Sets the account's default and its consent to an outside provider; null takes it back. Errors as `select`. */
  choose(accountId: AccountId, platform: string | null): Promise<void>;
  close(): Promise<void>;
}
