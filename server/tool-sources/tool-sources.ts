import type { Holder } from '../accounts/principal.ts';
import type { OutsideTools } from '../ai/outside-tools.ts';
import type { Json } from '../functions/spec.ts';

/**
 * Outside MCP servers whose tools an account lets models call. Address, token and approvals are sealed under the account
 * key (decision D5): without a key or token of the account nobody learns which servers it uses, or uses them.
 */
export interface ToolSources extends OutsideTools {
  /** The holder's own, by name. Connects to nothing. */
  list(holder: Holder): Promise<ToolSource[]>;
  /** Rejects with `sources.bad_url`, `sources.name_taken`, `sources.too_many`. Connects to nothing. */
  add(holder: Holder, form: NewToolSource): Promise<ToolSource>;
  /** Asks the server for its tools. Rejects with `source.not_found` and `sources.*`. */
  inspect(holder: Holder, name: string, signal: AbortSignal): Promise<InspectedSource>;
  /** From now on exactly these definitions are offered, by tool name; whatever differs from its hash is not. */
  approve(holder: Holder, name: string, approved: Approvals): Promise<ToolSource>;
  /** Leaves no byte of it in the store. Rejects with `source.not_found`. */
  remove(holder: Holder, name: string): Promise<void>;
}

/** SHA-256 (hex) of a tool's definition, by the tool's name. */
export type Approvals = Readonly<Record<string, string>>;

export interface NewToolSource {
  /** `[a-z0-9-]{1,20}`: models see the tools as `<name>__<tool>`, which no function can be called. */
  readonly name: string;
  readonly url: string;
  /** Bearer token, if the server wants one. */
  readonly token: string | undefined;
}

export interface ToolSource {
  readonly name: string;
  /** Origin of the server: it gets the arguments of its tools, outside this installation. */
  readonly recipient: string;
  readonly hasToken: boolean;
  readonly approved: Approvals;
}

export interface InspectedSource extends ToolSource {
  readonly tools: readonly InspectedTool[];
}

/** A tool as its server describes it now. */
export interface InspectedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Json;
  readonly sha256: string;
  readonly state: 'approved' | 'changed' | 'new';
  /** Why it cannot be offered to a model at all. */
  readonly fault: string | undefined;
}
