/** Every bound of AI.Mee; documents and vectors have the bounds of the vector service. */
export interface AimeeLimits {
  readonly sitesPerAccountMax: number;
  /** Customers' files held open, each three descriptors. */
  readonly openCustomersMax: number;
  readonly customerIdleMs: number;
  /** From a visitor's message to the end of its answer. */
  readonly deadlineMs: number;
  /** Entries that are written together. */
  readonly batchMax: number;
  /** Networks whose messages are counted; the one unused for longest is forgotten. */
  readonly networksMax: number;
  /** Passages that an answer may rest on, and how many of them are weighed sentence by sentence. */
  readonly passages: number;
  readonly passagesWeighed: number;
  /** Searches at once, together and of one account: embedders refuse more than they have room for, so others wait. */
  readonly searchesAtOnce: number;
  readonly searchesPerAccount: number;
  /** Vectors of passages' sentences that are remembered: 1.5 KiB each. */
  readonly passageVectorsMax: number;
  /** Characters of earlier turns that a model is shown, the latest first. */
  readonly historyLengthMax: number;
  readonly answerLengthMax: number;
  readonly answerTokensMax: number;
  /** Of one result of a function, as a model is shown it. */
  readonly resultBytesMax: number;
  /** Quoted where no model answers. */
  readonly quotesMax: number;
  /** Conversations that one search looks into before it answers with a cursor. */
  readonly searchedMax: number;
  /** Characters of opened conversations that searches keep, of all customers together: two bytes each. */
  readonly searchLengthMax: number;
  readonly searchIdleMs: number;
  /** Unanswered messages that the list of questions is made from. */
  readonly unansweredMax: number;
  readonly exportPage: number;
  readonly grantsPerAccountMax: number;
  readonly crawlPagesMax: number;
  readonly crawlsMax: number;
  readonly pageBytesMax: number;
  readonly pageDeadlineMs: number;
  readonly redirectsMax: number;
  /** Of one mail: the first try and those after it. */
  readonly mailDelaysMs: readonly number[];
  readonly mailsMax: number;
}

export const aimeeLimits: AimeeLimits = {
  sitesPerAccountMax: 20,
  openCustomersMax: 128,
  customerIdleMs: 60_000,
  deadlineMs: 90_000,
  batchMax: 256,
  networksMax: 50_000,
  passages: 6,
  passagesWeighed: 3,
  searchesAtOnce: 24,
  searchesPerAccount: 8,
  passageVectorsMax: 20_000,
  historyLengthMax: 12_000,
  answerLengthMax: 16_000,
  answerTokensMax: 1024,
  resultBytesMax: 16 * 1024,
  quotesMax: 2,
  searchedMax: 2000,
  searchLengthMax: 32 * 1_048_576,
  searchIdleMs: 120_000,
  unansweredMax: 500,
  exportPage: 100,
  grantsPerAccountMax: 20,
  crawlPagesMax: 200,
  crawlsMax: 4,
  pageBytesMax: 2 * 1_048_576,
  pageDeadlineMs: 20_000,
  redirectsMax: 3,
  mailDelaysMs: [0, 60_000, 600_000, 3_600_000],
  mailsMax: 500,
};
