import type { Bytes, Field } from '../../clients/sdk/src/sealed/index.ts';

/** An answer of ours inside the seal, in the shape of the platform's errors for calls. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers: readonly Field[];
  readonly content: Bytes;
}

export interface OwnError {
  readonly status: number;
  readonly errorId: string;
  readonly errorMessage: string;
}

export function problem({ status, errorId, errorMessage }: OwnError): OwnAnswer {
  const headers: Field[] = [['content-type', 'application/json; charset=utf-8']];
  return { status, headers, content: new TextEncoder().encode(JSON.stringify({ errorId, errorMessage })) };
}
