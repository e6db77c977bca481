/** Every bound of a query. */
export interface QueryLimits {
  /** Requests to the model. */
  readonly stepsMax: number;
  /** Calls of functions in all. */
  readonly callsMax: number;
  readonly parallelCallsMax: number;
  /** From the question to the end of the answer, functions included. */
  readonly deadlineMs: number;
  /** Functions that may be offered to the model. */
  readonly functionsMax: number;
  readonly argumentsLengthMax: number;
  /** Of one answer of a function, as the model and the trace are shown it. */
  readonly resultBytesMax: number;
  /** Characters that the model may write in all. */
  readonly textLengthMax: number;
  readonly outputTokensMax: number;
}

export const queryLimits: QueryLimits = {
  stepsMax: 8,
  callsMax: 16,
  parallelCallsMax: 4,
  deadlineMs: 60_000,
  functionsMax: 64,
  argumentsLengthMax: 64 * 1024,
  resultBytesMax: 64 * 1024,
  textLengthMax: 256 * 1024,
  outputTokensMax: 8192,
};
