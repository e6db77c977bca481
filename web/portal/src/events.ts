import { readEvents } from '../../../clients/sdk/src/event-stream.ts';
import { type RequestOptions, send } from './api.ts';

/**
 * What a route streams, event by event, until it ends. `EventSource` cannot send our header, hence `fetch`. Rejects with
 * `ApiError` before the stream begins; `T` is the contract's type of the route's events.
 */
export async function* streamOf<T>(path: string, options: RequestOptions = {}): AsyncGenerator<T, void> {
  const headers = { ...options.headers, accept: 'text/event-stream' };
  const { body } = await send(path, { ...options, headers });
  if (body === null) return;
  for await (const data of readEvents(body, options.signal)) yield JSON.parse(data) as T;
}
