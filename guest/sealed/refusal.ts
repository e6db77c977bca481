/** Why a request is not answered in a sealed way. The status is all that the gateway hears. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super();
    this.status = status;
  }
}

export const REFUSED = {
  /** One for whatever does not open. */
  unopened: 400,
  tooLarge: 413,
  keyUnknown: 422,
  /** The memory for requests is taken by others. */
  noRoom: 503,
} as const;
