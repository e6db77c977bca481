import type { Holder, Principal } from '../accounts/principal.ts';
import type { Dropped } from '../databases/databases.ts';
import type {
  Filter,
  Metadata,
  SearchHit,
  Span,
  StoredDocument,
  VectorDescription,
  VectorSettings,
} from './engine/vector-engine.ts';

/**
 * Vector databases of accounts: raw vectors, documents that are read and embedded, searches and answers that cite.
 * Everything rejects with `database.not_found` for what is missing, foreign or dropped, also while it runs. Whatever
 * reads or writes content takes an asker, and leaves exactly one call record.
 */
export interface Vectors {
  /** Rejects with `databases.*`, `embeddings.*`, `vectors.bad_dimensions`. */
  create(holder: Holder, form: NewVectorDatabase): Promise<VectorDatabase>;
  list(holder: Holder): Promise<VectorDatabase[]>;
  describe(holder: Holder, name: string): Promise<DescribedVectorDatabase>;
  /** Running uploads end, then the key is destroyed; the receipt says so. */
  drop(holder: Holder, name: string): Promise<Dropped>;

  upsert(
    asker: Asker,
    name: string,
    records: readonly NewRecord[],
  ): Promise<{ inserted: number; updated: number }>;
  /** How many were there. */
  delete(asker: Asker, name: string, what: { ids: readonly string[] } | { filter: Filter }): Promise<number>;
  query(asker: Asker, name: string, query: VectorQuery): Promise<QueryResult>;
  /** `onText` hears the answer of a model as it is written. */
  ask(asker: Asker, name: string, question: Question, onText?: (text: string) => void): Promise<VectorAnswer>;

  /**
   * Takes a document. Resolves once its content has arrived; reading and embedding go on behind. Rejects with what went
   * wrong until then (`documents.*`, `vectors.too_many_uploads`).
   */
  upload(
    asker: Asker,
    name: string,
    document: NewDocument,
  ): Promise<{ uploadId: string; documentId: string }>;
  /** How far an upload is. Rejects with `upload.not_found`. */
  uploadState(holder: Holder, uploadId: string): Promise<UploadProgress>;
  /** The present state and each further one, until the upload has ended. */
  watchUpload(holder: Holder, uploadId: string, signal: AbortSignal): AsyncIterable<UploadProgress>;
  /** Ends a running upload; its document stays as it was before. False if it had ended already. */
  cancelUpload(holder: Holder, uploadId: string): Promise<boolean>;
  /** The extracted text to which offsets refer, for owners of strict databases who keep it themselves. */
  extract(asker: Asker, document: Pick<NewDocument, 'content' | 'mediaType' | 'fileName'>): Promise<string>;
  documents(holder: Holder, name: string, page: { after?: string; limit: number }): Promise<StoredDocument[]>;
  /** Rejects with `document.not_found`. Running uploads of the same document end. */
  deleteDocument(asker: Asker, name: string, documentId: string): Promise<void>;
  close(): Promise<void>;
}

/** Stands for requests to vector databases in call records; a resolver function that is called has its own. */
export interface Asker {
  readonly principal: Principal;
  readonly holder: Holder;
  readonly originIp: string;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

export interface NewVectorDatabase {
  readonly name: string;
  readonly kind: VectorSettings['kind'];
  readonly metric: VectorSettings['metric'];
  /** Without a model: what the owner's own vectors have. */
  readonly dimensions?: number | undefined;
  /** Embeds documents and questions; null when the owner brings all vectors. The default one unless dimensions are given. */
  readonly model?: string | null | undefined;
  /** Strict databases: the function that brings passages back. */
  readonly resolver?: string | undefined;
}

export interface VectorDatabase extends VectorSettings {
  readonly name: string;
  readonly resolver: string | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export type DescribedVectorDatabase = VectorDatabase & VectorDescription;

/** Databases with a model take `text`; the others `vector` and, if sealed, `text` for keywords and quotes. */
export interface NewRecord {
  readonly id: string;
  readonly vector?: readonly number[] | undefined;
  readonly text?: string | undefined;
  readonly metadata?: Metadata | undefined;
}

export interface VectorQuery {
  readonly vector?: readonly number[] | undefined;
  readonly text?: string | undefined;
  /** 1 to 1000. */
  readonly topK: number;
  readonly filter?: Filter | undefined;
  readonly minScore?: number | undefined;
  /** `hybrid` unless said otherwise; keywords exist in sealed databases only. */
  readonly mode?: SearchMode | undefined;
  /** Judge the best hits once more, sentence by sentence: slower, better order. Needs texts and a model. */
  readonly rerank?: boolean | undefined;
}

export type SearchMode = 'hybrid' | 'vector' | 'keyword';

/** In strict databases with a resolver the text is what it brought. */
export type FoundRecord = SearchHit;

export interface QueryResult {
  readonly hits: readonly FoundRecord[];
  /** Passages whose source is not what was embedded: left out of the hits. */
  readonly changed: readonly Span[];
}

export interface Question {
  readonly question: string;
  /** What is searched for, if it is not the question itself. */
  readonly retrievalText?: string | undefined;
  readonly filter?: Filter | undefined;
  /** Passages that an answer may rest on. */
  readonly topK: number;
  /** Below it nothing counts as relevant; the model's own default if absent. */
  readonly minScore?: number | undefined;
  readonly rerank?: boolean | undefined;
  readonly platform?: string | undefined;
}

export interface VectorAnswer {
  /** Markdown. Numbers in brackets are those of the citations. */
  readonly answer: string;
  /** `model`: in a model's words. `extractive`: passages as they stand. `none`: nothing relevant was found. */
  readonly engine: 'model' | 'extractive' | 'none';
  readonly finish: 'complete' | 'length' | 'filtered';
  readonly citations: readonly Citation[];
  readonly changed: readonly Span[];
  /** The model that spoke, if one did. */
  readonly platform: string | null;
  readonly model: string | null;
  readonly retention: 'none' | 'provider';
}

/** A place in a document: `quote` is exactly what stands there. */
export interface Citation extends Span {
  readonly number: number;
  /** Vector score of the passage; null when only keywords found it. */
  readonly score: number | null;
  readonly quote: string;
}

export interface NewDocument {
  readonly content: AsyncIterable<Uint8Array>;
  readonly mediaType?: string | undefined;
  /** Used for its ending and, hashed, as an id; never kept. */
  readonly fileName?: string | undefined;
  readonly documentId?: string | undefined;
  readonly metadata?: Metadata | undefined;
}

export interface UploadProgress {
  readonly uploadId: string;
  readonly documentId: string;
  readonly status: 'queued' | 'reading' | 'embedding' | 'completed' | 'failed' | 'interrupted';
  readonly pagesDone: number;
  /** Null while unknown, and for formats without pages. */
  readonly pages: number | null;
  /** Found so far, and embedded of them. */
  readonly passages: number;
  readonly embedded: number;
  /** Why it failed, or what to do after an interruption. */
  readonly error: { readonly code: string; readonly message: string } | null;
}
