/** Ends the reading; `code` is what follows `documents.` in the error that the caller is told. */
export class Failure extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}
