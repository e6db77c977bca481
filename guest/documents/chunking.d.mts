/** For tests; said in full in chunking.mjs. */
export interface Block {
  readonly kind: 'heading' | 'paragraph' | 'row';
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly level?: number;
  readonly title?: string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly headings: string[];
}

export function estimateTokens(text: string): number;
export function chunk(
  extracted: { readonly text: string; readonly blocks: readonly Block[] },
  chunking: { readonly tokensMax: number; readonly tokensOverlap: number },
): Generator<Span>;
