/** Put in by build.ts. */
declare const FRAME_SCRIPT: string;
/** `sha256-…` of it, as a content security policy names it. */
declare const FRAME_SCRIPT_HASH: string;
/** Names of the texts and, per language with English first, the texts in the same order; `|` between them. */
declare const TEXT_NAMES: string;
declare const TEXTS: readonly [[string, string], ...[string, string][]];
/** From the contract, whose schemas would not fit. */
declare const TEXT_LENGTH_MAX: number;
declare const TURNS_MAX: number;
