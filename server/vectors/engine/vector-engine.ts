import type { DatabaseFile } from '../../databases/databases.ts';
import type { DatabaseId } from '../../kernel/ids.ts';

/**
 * Vector databases as files: records, keyword index and nearest neighbours, in a process of their own. A handle opens
 * with the first use and closes when idle; each use brings the key again, and one that does not fit is refused. Errors:
 * `vectors.*`; after a drop everything that still runs rejects with `database.not_found`.
 */
export interface VectorEngine {
  create(file: DatabaseFile, settings: VectorSettings): Promise<void>;
  describe(file: DatabaseFile): Promise<VectorDescription>;
  /** All or none. Rejects with `vectors.bad_dimensions`, `vectors.full`. */
  upsert(
    file: DatabaseFile,
    records: readonly VectorRecord[],
  ): Promise<{ inserted: number; updated: number }>;
  /** How many were there. Exactly one of the two. */
  delete(file: DatabaseFile, what: { ids: readonly string[] } | { filter: Filter }): Promise<number>;
  search(file: DatabaseFile, search: VectorSearch): Promise<SearchHit[]>;

  /** Vectors that an interrupted upload of the document left, by keyed hash of their passages (`passageHash`). */
  beginDocument(file: DatabaseFile, document: PendingDocument): Promise<void>;
  /** Finds what need not be embedded again: stored or staged vectors of the same text. Undefined where there is none. */
  knownVectors(file: DatabaseFile, texts: readonly string[]): Promise<(Float32Array | undefined)[]>;
  /** Keeps embedded passages until `finishDocument`; a crash in between leaves them for `knownVectors`. */
  stage(file: DatabaseFile, uploadId: string, passages: readonly StagedPassage[]): Promise<void>;
  /** Replaces the document's records by the staged ones in one transaction. */
  finishDocument(file: DatabaseFile, uploadId: string): Promise<{ passages: number }>;
  failDocument(file: DatabaseFile, uploadId: string, code: string): Promise<void>;
  /** State of an upload as the file knows it; `interrupted` when it was running in a process that is gone. */
  upload(file: DatabaseFile, uploadId: string): Promise<UploadState | undefined>;

  documents(file: DatabaseFile, page: { after?: string; limit: number }): Promise<StoredDocument[]>;
  /** Everything that is searched, in the order in which it came; `next` is the `after` of the following page. */
  records(file: DatabaseFile, page: { after?: number; limit: number }): Promise<RecordPage>;
  /** Whether there was one. */
  deleteDocument(file: DatabaseFile, documentId: string): Promise<boolean>;
  /** A keyed hash under the database's key: names nothing to anyone without it. 22 base62-like characters. */
  keyedName(file: DatabaseFile, text: string): Promise<string>;
  /** Whether `text` is the text of the stored passage (strict databases), compared by keyed hash. */
  matches(file: DatabaseFile, passages: readonly { id: string; text: string }[]): Promise<boolean[]>;

  /** Closes the handle, if open, and refuses the id from then on. */
  forget(id: DatabaseId): Promise<void>;
  /** Takes that back. */
  recall(id: DatabaseId): void;
  close(): Promise<void>;
}

/** Requests to the engine that whoever carries them cannot read, nor their answers. */
export interface SealedVectors {
  /** `application/ohttp-keys`; good as long as the process runs. */
  sealingKey(): Promise<Uint8Array>;
  /** Rejects with `vectors.seal_unknown` for what was sealed to another key, or for another database. */
  sealed(file: DatabaseFile, body: Uint8Array): Promise<Uint8Array>;
}

export interface VectorSettings {
  /** `sealed` keeps passages in the encrypted file; `strict` keeps offsets and keyed hashes only (decision D6). */
  readonly kind: 'sealed' | 'strict';
  readonly dimensions: number;
  readonly metric: 'cosine' | 'dot' | 'euclidean';
  /** Identity of the embedding model; null when the owner brings all vectors himself. */
  readonly model: string | null;
}

export interface VectorDescription extends VectorSettings {
  readonly records: number;
  readonly documents: number;
  /** Bytes on disk. */
  readonly bytes: number;
  /** How it searches at present. */
  readonly index: 'exact' | 'building' | 'hnsw';
}

export interface VectorRecord {
  /** 1 to 128 characters; passages of documents are called `<documentId>#<n>`. */
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata?: Metadata;
  /** Sealed databases only: found by keywords and cited. */
  readonly text?: string;
}

/** Flat; strings up to 512 characters, at most 32 keys. */
export type Metadata = Readonly<Record<string, string | number | boolean | null>>;

/**
 * All fields have to fit: a plain value means equal, otherwise `{ eq, ne, gt, gte, lt, lte, in, exists }`. The reserved
 * field `$document` is the document's id.
 */
export type Filter = Readonly<Record<string, Metadata[string] | FilterOperators>>;
export interface FilterOperators {
  readonly eq?: Metadata[string];
  readonly ne?: Metadata[string];
  readonly gt?: number | string;
  readonly gte?: number | string;
  readonly lt?: number | string;
  readonly lte?: number | string;
  readonly in?: readonly Metadata[string][];
  readonly exists?: boolean;
}

export interface VectorSearch {
  /** Absent for keyword search alone. */
  readonly vector?: Float32Array;
  /** Absent for vector search alone; keywords exist in sealed databases only. Both: fused. */
  readonly text?: string;
  /** 1 to 1000. */
  readonly topK: number;
  readonly filter?: Filter;
  /** Hits whose vector score is below are left out. Score: cosine −1..1, dot as it is, euclidean −distance. */
  readonly minScore?: number;
}

export interface SearchHit {
  readonly id: string;
  /** Vector score, whichever search found it; null without a vector. */
  readonly score: number | null;
  /** BM25; null when no word of the search stands in it. */
  readonly keywordScore: number | null;
  readonly metadata: Metadata;
  /** Sealed databases: the text that was kept. */
  readonly text: string | null;
  readonly span: Span | null;
}

/** Where a passage stands in the extracted text of its document, in UTF-16 code units. */
export interface Span {
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
  /** From 1; null for formats without pages. */
  readonly page: number | null;
  readonly headings: readonly string[];
}

export interface PendingDocument {
  readonly uploadId: string;
  readonly documentId: string;
  readonly metadata: Metadata;
}

export interface StagedPassage {
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly headings: readonly string[];
  readonly text: string;
  readonly vector: Float32Array;
}

export interface UploadState {
  readonly uploadId: string;
  readonly documentId: string;
  readonly status: 'running' | 'completed' | 'failed' | 'interrupted';
  readonly passages: number;
  /** Error code of a failed upload. */
  readonly code: string | null;
}

export interface RecordPage {
  readonly records: readonly StoredRecord[];
  /** Null at the end. */
  readonly next: number | null;
}

/** A record as it lies: its text in sealed databases only, its span if it is a passage of a document. */
export interface StoredRecord extends Pick<SearchHit, 'id' | 'metadata' | 'text' | 'span'> {
  readonly vector: Float32Array;
}

export interface StoredDocument {
  readonly documentId: string;
  readonly passages: number;
  readonly metadata: Metadata;
}
