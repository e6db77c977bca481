import type { ErrorOptions } from '../../kernel/errors.ts';
import type {
  Filter,
  PendingDocument,
  RecordPage,
  SearchHit,
  StagedPassage,
  StoredDocument,
  StoredRecord,
  UploadState,
  VectorDescription,
  VectorRecord,
  VectorSearch,
  VectorSettings,
} from './vector-engine.ts';

/**
 * What server and engine process say to each other. Vectors are not in the fields but travel beside them, in the order
 * in which the fields speak of them; so does the database's key.
 */
export interface Methods {
  create: { args: { settings: VectorSettings }; result: null };
  describe: { args: object; result: VectorDescription };
  upsert: {
    args: { records: Omit<VectorRecord, 'vector'>[] };
    result: { inserted: number; updated: number };
  };
  delete: { args: { what: { ids: readonly string[] } | { filter: Filter } }; result: number };
  /** With one vector or none. */
  search: { args: { search: Omit<VectorSearch, 'vector'> }; result: SearchHit[] };
  beginDocument: { args: { document: PendingDocument }; result: null };
  /** Says which are known; their vectors come beside. */
  knownVectors: { args: { texts: readonly string[] }; result: boolean[] };
  stage: { args: { uploadId: string; passages: Omit<StagedPassage, 'vector'>[] }; result: null };
  finishDocument: { args: { uploadId: string }; result: { passages: number } };
  failDocument: { args: { uploadId: string; code: string }; result: null };
  upload: { args: { uploadId: string }; result: UploadState | null };
  documents: { args: { page: { after?: string; limit: number } }; result: StoredDocument[] };
  /** Their vectors come beside. */
  records: {
    args: { page: { after?: number; limit: number } };
    result: Pick<RecordPage, 'next'> & { records: Omit<StoredRecord, 'vector'>[] };
  };
  deleteDocument: { args: { documentId: string }; result: boolean };
  keyedName: { args: { text: string }; result: string };
  matches: { args: { passages: readonly { id: string; text: string }[] }; result: boolean[] };
}

export type Method = keyof Methods;

/** The header of a frame to the engine; `key` and vectors are its payload. */
export type EngineRequest = DatabaseRequest | ForgetRequest | KeyRequest | SealedRequest;

export interface DatabaseRequest<M extends Method = Method> {
  readonly id: number;
  readonly t: 'request';
  readonly method: M;
  readonly database: string;
  readonly directory: string;
  readonly args: Methods[M]['args'];
  /** Wall clock of the server. */
  readonly now: number;
}

/** Answered when the database is closed. */
export interface ForgetRequest {
  readonly id: number;
  readonly t: 'forget';
  readonly database: string;
}

/** Asks for the key to which requests are sealed (`application/ohttp-keys`), the answer's payload; it lives as the process does. */
export interface KeyRequest {
  readonly id: number;
  readonly t: 'key';
}

/**
 * A request that the server carries and cannot read, nor its answer: beside the database's key, a sealed frame of
 * `SealedHeader` and vectors, bound to the database's id.
 */
export interface SealedRequest extends Omit<DatabaseRequest, 't' | 'method' | 'args'> {
  readonly t: 'sealed';
}

export type SealedHeader<M extends Method = Method> = Pick<DatabaseRequest<M>, 'method' | 'args'>;

/** In the sealed answer: what `EngineAnswer` is in the clear. */
export type SealedAnswer =
  | Omit<Extract<EngineAnswer, { t: 'result' }>, 'id'>
  | Omit<Extract<EngineAnswer, { t: 'failed' }>, 'id'>;

/** The header of a frame from the engine. */
export type EngineAnswer =
  | { readonly id: number; readonly t: 'result'; readonly result: unknown }
  | { readonly id: number; readonly t: 'failed'; readonly error: Omit<ErrorOptions, 'cause' | 'faults'> };

/** What the process is told in its environment's stead, as the first frame. */
export interface EngineSetup {
  /** Random, of this server process: uploads of another one are over. 32 hexadecimal digits. */
  readonly run: string;
  readonly limits: StoreLimits;
}

export interface StoreLimits {
  /** Of one database, and of its vectors. */
  readonly recordsMax: number;
  readonly databaseMib: number;
  /** More records than this get a graph. */
  readonly exactMax: number;
  /** Open at a time; each takes three file descriptors. */
  readonly openMax: number;
  /** Vectors in memory, of all open databases together. */
  readonly memoryMib: number;
  /** From a database's last request until it is closed. */
  readonly openIdleMs: number;
}
