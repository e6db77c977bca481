import type { Holder } from '../accounts/principal.ts';
import type { FunctionTool } from './function-tool.ts';

/** Tools of outside sources, for the length of one question. */
export interface OutsideTools {
  /**
   * Connects to the sources of these names and takes what the holder approved and nothing else. Rejects with
   * `source.not_found` and `sources.*`; the signal ends it.
   */
  open(holder: Holder, names: readonly string[], signal: AbortSignal): Promise<OpenedTools>;
}

export interface OpenedTools {
  readonly tools: readonly FunctionTool[];
  readonly withheld: readonly WithheldTool[];
  /** Ends the connections and whatever still runs on them. */
  close(): void;
}

/** A tool that its server offers and the model is not shown. */
export interface WithheldTool {
  readonly source: string;
  readonly tool: string;
  /** Its definition is not the approved one, was never approved, or cannot be shown to models. */
  readonly reason: 'changed' | 'new' | 'unusable';
}
