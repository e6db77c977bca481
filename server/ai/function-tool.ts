import type { Principal } from '../accounts/principal.ts';
import type { Json } from '../functions/spec.ts';
import type { ToolDeclaration } from '../models/chat-model.ts';

/**
 * A library function as a tool: for the query loop and for MCP alike; or a tool of an outside source, for the query loop.
 * A function's arguments are flat: query parameters by name
 * (strings), the JSON body under `body`, a file under `file` as `{ "name": …, "base64": … }`.
 */
export interface FunctionTool {
  readonly declaration: ToolDeclaration;
  /** Name of the outside source that gets the arguments; absent for functions. */
  readonly source?: string;
  /** True for GET: no side effects are expected. */
  readonly isReadOnly: boolean;
  /** True when the function may reach hosts outside (its egress is not empty). */
  readonly isOpenWorld: boolean;
  /** JSON Schema of the answer, when the function declares one. */
  readonly outputSchema: Json | undefined;
  /** Faults of the arguments against the schema, as the model is told them; empty when they fit. */
  check(args: Json): readonly string[];
  /** Faults of an answer, parsed, against `outputSchema`; empty when there is none. */
  checkAnswer(answer: Json): readonly string[];
  /**
   * A function is called through the same gateway path as directly, with the caller's rights; that leaves a call record
   * and nothing more.
   */
  call(args: Json, caller: ToolCaller): Promise<ToolResult>;
}

export interface ToolCaller {
  readonly principal: Principal;
  readonly originIp: string;
  readonly signal: AbortSignal;
  /** How much of an answer is kept; the rest is read and dropped. */
  readonly resultBytesMax: number;
}

export interface ToolResult {
  /** The function answered with a status below 400, or the outside tool without an error. */
  readonly ok: boolean;
  /** Null when the function did not answer at all, and for outside tools, which have none. */
  readonly status: number | null;
  readonly contentType: string;
  /** Bounded; `truncated` says that there was more. */
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/** Finds the tools that a caller may use; what is not visible to him does not exist. */
export interface FunctionTools {
  /** Rejects with `function.not_found` for the first name that is not visible. */
  named(principal: Principal, shortnames: readonly string[]): Promise<FunctionTool[]>;
  /** Own functions (and, if asked, published ones), by shortname. */
  library(principal: Principal, options: { readonly includePublished: boolean }): Promise<FunctionTool[]>;
}
