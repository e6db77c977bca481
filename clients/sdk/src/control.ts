import { failedAnswer, received } from './error.ts';
import { answerEvents } from './event-stream.ts';
import { sendSealedCall } from './sealed-call.ts';
import type { Request, Session } from './session.ts';

/** Requests to `/api/v1` paths with the token, sealed or not; failed answers reject with what they mean. */

export async function* events<E>(session: Session, path: string, request: Request): AsyncGenerator<E, void> {
  const headers = { ...request.headers, accept: 'text/event-stream' };
  yield* answerEvents<E>(await send(session, path, { ...request, headers }), request.signal);
}

export function jsonRequest(body: object): Request {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function postJson<T>(session: Session, path: string, body: object, signal?: AbortSignal): Promise<T> {
  return json(session, path, { ...jsonRequest(body), signal });
}

export function getJson<T>(session: Session, path: string): Promise<T> {
  return json(session, path, {});
}

export async function json<T>(session: Session, path: string, request: Request): Promise<T> {
  const response = await send(session, path, request);
  return (await received(response.json(), request.signal)) as T;
}

export async function send(session: Session, path: string, request: Request): Promise<Response> {
  const { sealedTo, ...plain } = request;
  const response =
    sealedTo === undefined
      ? await session.sendWithToken(`${session.url}${path}`, plain)
      : await sendSealedCall(session, new URL(`${session.url}/${sealedTo}${path}`), plain);
  if (!response.ok) throw await failedAnswer(response);
  return response;
}
