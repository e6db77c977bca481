/** A binary HTTP message or a list of key configurations that its format does not allow. */
export class MalformedError extends Error {
  constructor(what: string) {
    super(`Malformed: ${what}.`);
    this.name = 'MalformedError';
  }
}

/**
 * A sealed message that does not open. There is one such error with one text, whatever the reason (key, function,
 * version, altered, cut off or reordered bytes), so that it tells nobody anything.
 */
export class OpeningError extends Error {
  constructor() {
    super('The sealed message does not open.');
    this.name = 'OpeningError';
  }
}
