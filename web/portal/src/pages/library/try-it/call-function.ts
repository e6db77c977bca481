import { useRef } from 'react';
import type * as z from 'zod';
import type { sessionRoutes } from '../../../../../../contract/session.ts';
import { ApiError, request } from '../../../api.ts';

export interface FunctionCall {
  readonly deploymentId: string;
  readonly method: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly content: Blob | string } | undefined;
}

export interface FunctionAnswer {
  /** 0 for a redirect, which pages cannot look into. */
  readonly status: number;
  readonly durationMs: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Blob;
  /** There was more than a page should hold. */
  readonly isCut: boolean;
}

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** A token that ends within this time is renewed first. */
const RENEWED_BEFORE_MS = 60_000;

type SessionToken = z.infer<(typeof sessionRoutes)['createSessionToken']['success']['schema']>;

/** Calls functions as their callers do, with a token that lives in this page alone. */
export function useFunctionCalls(): (call: FunctionCall, signal: AbortSignal) => Promise<FunctionAnswer> {
  const held = useRef<SessionToken>(undefined);
  return async (call, signal) => {
    if (held.current === undefined || Date.parse(held.current.expiresAt) < Date.now() + RENEWED_BEFORE_MS) {
      held.current = await request<SessionToken>('/api/v1/session/token', { method: 'POST', signal });
    }
    return await callFunction(call, held.current.token, signal);
  };
}

async function callFunction(
  { deploymentId, method, query, body }: FunctionCall,
  token: string,
  signal: AbortSignal,
): Promise<FunctionAnswer> {
  const parameters = new URLSearchParams(query).toString();
  const begun = performance.now();
  const response = await fetch(`/${deploymentId}${parameters && `?${parameters}`}`, {
    method,
    headers: { jfwt: token, ...(body && { 'content-type': body.type }) },
    ...(body && { body: body.content }),
    signal,
    // The session is nothing to a function, and functions elsewhere are none of ours.
    credentials: 'omit',
    redirect: 'manual',
    cache: 'no-store',
  }).catch((thrown: unknown) => {
    if (signal.aborted) throw thrown;
    throw new ApiError({ status: 0, code: 'portal.offline', detail: 'The function cannot be reached.' });
  });
  const received = await receive(response);
  return {
    status: response.status,
    durationMs: performance.now() - begun,
    headers: [...response.headers],
    ...received,
  };
}

async function receive(response: Response): Promise<Pick<FunctionAnswer, 'body' | 'isCut'>> {
  const type = response.headers.get('content-type') ?? '';
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body?.getReader();
  let length = 0;
  while (reader !== undefined && length <= ANSWER_BYTES_MAX) {
    const { done, value } = await reader.read();
    if (done) return { body: new Blob(chunks, { type }), isCut: false };
    chunks.push(value);
    length += value.byteLength;
  }
  await reader?.cancel();
  return { body: new Blob(chunks, { type }), isCut: reader !== undefined };
}
