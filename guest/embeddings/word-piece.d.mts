/** For tests; of a tokenizer, the parts that are used. Said in full in word-piece.mjs. */
export interface WordTokenizer {
  readonly model: {
    readonly config: { readonly type: string; readonly continuing_subword_prefix: string };
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token: string;
    readonly max_input_chars_per_word: number;
    encode(words: readonly string[]): string[];
  };
}

export function boundWords<T extends WordTokenizer>(tokenizer: T): T;
