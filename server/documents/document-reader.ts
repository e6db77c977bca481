/**
 * Reads a document in a jailed process that ends with it: bytes in, passages out. Nothing of it is written anywhere,
 * and its name is never asked for: the format is told by media type, file ending and the first bytes.
 */
export interface DocumentReader {
  /**
   * Passages in order, at the pace at which they are taken. Rejects with `documents.unsupported`, `encrypted`,
   * `damaged`, `empty`, `too_large`, `too_many_pages`, `too_complex`, `expands_too_much`, `took_too_long`, `cancelled`,
   * `busy`, or with what `content` rejects with. When it ends, however it does, the process is gone.
   */
  passages(document: Document, chunking: Chunking): AsyncIterable<ReaderEvent>;
  /**
   * The extracted text, to which the spans of passages refer; of text, Markdown and CSV the file itself, without its
   * byte order mark. Rejects as `passages` does.
   */
  text(document: Document): Promise<string>;
  close(): Promise<void>;
}

export interface Document {
  readonly content: AsyncIterable<Uint8Array>;
  /** As the client declared; only a hint. */
  readonly mediaType: string | undefined;
  /** `.pdf`, lower case, if a file name was given. */
  readonly extension: string | undefined;
  readonly signal: AbortSignal;
}

export interface Chunking {
  readonly tokensMax: number;
  /** Shared with the passage before, at most half of `tokensMax`. */
  readonly tokensOverlap: number;
}

/** With its headings, a passage fits into the 256 tokens that small embedding models read. */
export const CHUNKING: Chunking = { tokensMax: 220, tokensOverlap: 30 };

export type ReaderEvent =
  | { readonly type: 'progress'; readonly pagesDone: number; readonly pages: number | null }
  | { readonly type: 'passage'; readonly passage: Passage };

export interface Passage {
  /** UTF-16 code units into the extracted text; `text` is exactly that slice. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** From 1; null for formats without pages. */
  readonly page: number | null;
  /** Headings above it, outermost first. */
  readonly headings: readonly string[];
}
