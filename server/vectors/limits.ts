/** Every bound of the vector service; the engine, the reader and the embedder have their own. */
export interface VectorLimits {
  readonly documentBytesMax: number;
  /** Uploads that are taken and not yet done. */
  readonly uploadsMax: number;
  readonly uploadsPerAccountMax: number;
  /** Documents that are read and embedded at once; the others wait. */
  readonly uploadsAtOnceMax: number;
  /** Bytes of waiting documents that lie in memory; beyond, clients are read from no further. */
  readonly waitingBytesMax: number;
  /** From the request to the last vector. */
  readonly uploadDeadlineMs: number;
  /** Searches, questions and writes. */
  readonly deadlineMs: number;
  /** Passages that are embedded and staged together. */
  readonly batchPassages: number;
  /** Tokens of a passage, if the model takes as many, and what neighbours share. */
  readonly passageTokensMax: number;
  readonly passageTokensOverlap: number;
  /** Of one answer of a resolver function. */
  readonly resolverBytesMax: number;
  /** Hits that are judged once more, if asked for. */
  readonly rerankHits: number;
  readonly windowsPerPassageMax: number;
  readonly answerTokensMax: number;
  /** Characters. */
  readonly answerLengthMax: number;
  /** Passages that an answer without a model quotes. */
  readonly quotesMax: number;
  /** Ended uploads whose state is still told from memory. */
  readonly endedUploadsMax: number;
}

export const vectorLimits: VectorLimits = {
  documentBytesMax: 32 * 1_048_576,
  uploadsMax: 64,
  uploadsPerAccountMax: 16,
  uploadsAtOnceMax: 2,
  waitingBytesMax: 64 * 1_048_576,
  uploadDeadlineMs: 30 * 60_000,
  deadlineMs: 60_000,
  batchPassages: 16,
  passageTokensMax: 200,
  passageTokensOverlap: 30,
  resolverBytesMax: 8 * 1_048_576,
  rerankHits: 20,
  windowsPerPassageMax: 24,
  answerTokensMax: 2048,
  answerLengthMax: 64 * 1024,
  quotesMax: 3,
  endedUploadsMax: 1000,
};
