/**
 * The guard's no. `reason` is one of REASONS in server/sql/external/external-errors.ts, `near` a word of the statement
 * that it is about; the server says the sentence.
 */
export class Refused extends Error {
  constructor(reason, near) {
    super(reason);
    this.reason = reason;
    this.near = near;
  }
}

export const STATEMENT_CHARACTERS_MAX = 20_000;
/** Padding and repeating beyond this is refused: one value could fill the database server's memory. */
export const PADDING_MAX = 10_000;

/** What holds for all dialects and has to be so before anything reads the text. */
export function assertPlainText(sql) {
  if (sql.length > STATEMENT_CHARACTERS_MAX) throw new Refused('too_long');
  // NUL ends a string in both wire protocols; half a surrogate pair is replaced on the way.
  if (sql.includes('\0') || !sql.isWellFormed()) throw new Refused('bad_text');
}

/** Trees of twenty thousand characters can be deeper than the stack. */
export function withinStack(walk) {
  try {
    walk();
  } catch (error) {
    throw error instanceof RangeError ? new Refused('unparsable') : error;
  }
}
