import type { IncomingMessage } from 'node:http';
import type { UpstreamRequest } from '../../calls/http1-request.ts';

/**
 * Sealed calls (RFC 9458 and its chunked form): a body that only the agent beside the function opens. Nothing else of
 * such a request is used or passed on, and of its answer only the bytes are.
 */
const WHOLE = 'message/ohttp-req';
const CHUNKED = 'message/ohttp-chunked-req';

/** The media type that makes a request a sealed call. */
export function sealedTypeOf({ method, headers }: IncomingMessage): string | undefined {
  const declared = headers['content-type'];
  if (method !== 'POST' || declared === undefined) return undefined;
  const type = declared.split(';', 1)[0]?.trim().toLowerCase();
  return type === WHOLE || type === CHUNKED ? type : undefined;
}

/** `declaredLength`: of the body, as the caller wrote it. `pass`: for a desk, which acts for the caller with it. */
export function sealedRequest(
  type: string,
  {
    declaredLength,
    pass,
  }: { readonly declaredLength: string | undefined; readonly pass: string | undefined },
  body: UpstreamRequest['body'],
): UpstreamRequest {
  const headers = ['Host', 'agent', 'Content-Type', type];
  if (declaredLength !== undefined) headers.push('Content-Length', declaredLength);
  if (pass !== undefined) headers.push('Jfwt', pass);
  return { method: 'POST', path: '/', headers, body };
}

export function sealedAnswerHeaders(type: string): string[] {
  return type === WHOLE
    ? ['Content-Type', 'message/ohttp-res', 'Cache-Control', 'no-store']
    : ['Content-Type', 'message/ohttp-chunked-res', 'Cache-Control', 'no-store', 'Incremental', '?1'];
}
