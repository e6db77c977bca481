import type { Holder, Principal } from '../accounts/principal.ts';
import type { Json } from '../functions/spec.ts';
import type { ChatMessage } from '../models/chat-model.ts';
import type { WithheldTool } from './outside-tools.ts';

/** A question in words, with all that it needs; nothing of it outlives the answer. */
export interface Query {
  readonly principal: Principal;
  /** For the records of the functions that are called. */
  readonly originIp: string;
  /** Earlier turns, given by the caller; the last one is the question. Only `user` and `assistant` roles. */
  readonly messages: readonly Extract<ChatMessage, { role: 'user' | 'assistant' | 'system' }>[];
  /** Shortnames of the functions that may be called, `library` for any of the account's own, or none. */
  readonly functions: readonly string[] | 'library';
  /** Outside sources whose approved tools may be called, too. */
  readonly sources?: SourcesOfQuery;
  readonly platform: string | undefined;
  /** The answer is JSON of this schema. */
  readonly responseSchema?: Json;
  readonly signal: AbortSignal;
}

/** Only what the account key opens can be offered. */
export interface SourcesOfQuery {
  readonly names: readonly string[];
  readonly holder: Holder;
}

/** What happens while a query is answered, for streaming; the trace is for the caller alone. */
export type QueryEvent =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'tool-call';
      readonly id: string;
      readonly function: string;
      /** The outside source that gets the arguments; absent for functions. */
      readonly source?: string;
      readonly arguments: Json;
    }
  | {
      readonly type: 'tool-result';
      readonly id: string;
      readonly ok: boolean;
      readonly status: number | null;
      readonly result: string;
    }
  /** A call that the model made wrongly and that was not run: unknown function, or arguments against the schema. */
  | {
      readonly type: 'tool-refused';
      readonly id: string;
      readonly function: string;
      readonly reason: string;
    }
  /** Tools of the named sources that the model was not shown, because they are not approved as they are now. */
  | { readonly type: 'tools-withheld'; readonly tools: readonly WithheldTool[] };

export interface QueryAnswer {
  /** Markdown, or JSON text under `responseSchema`. */
  readonly answer: string;
  /** `complete`, or why it ended early. */
  readonly finish: 'complete' | 'length' | 'step-limit' | 'filtered';
  readonly platform: string;
  readonly model: string;
  readonly retention: 'none' | 'provider';
  readonly trace: readonly Exclude<QueryEvent, { type: 'text' }>[];
}

/** The one way through which questions are answered: compatible endpoints, /api/v1, MCP-less clients, AI.Mee. */
export interface Queries {
  /** `onEvent` hears parts in order. Rejects with `ai.*` and `models.*` errors; a cancelled query rejects at once. */
  ask(query: Query, onEvent?: (event: QueryEvent) => void): Promise<QueryAnswer>;
}
