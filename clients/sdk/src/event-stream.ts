import { JellyFaaSError, errorFrom, received } from './error.ts';

/** Longer than any event of a server that keeps its own limits. */
const EVENT_LENGTH_MAX = 16 * 1024 * 1024;

/** The `data` of server-sent events, until the stream ends. Leaving the loop closes the connection. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const data: string[] = [];
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await received(reader.read(), signal);
      if (done) return;
      // A CR at the end may be the first half of a CRLF.
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      yield* wholeEvents(lines, data);
      if (rest.length > EVENT_LENGTH_MAX) {
        throw new JellyFaaSError('An event is too long.', { errorId: 'sdk.event_too_long' });
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

type LastEvent =
  | { readonly type: 'error'; readonly code: string; readonly detail: string; readonly status: number }
  | { readonly type: 'done' };

/** The events of an answer up to its `done`. One that ends without, or with an error, throws. */
export async function* answerEvents<E>(
  { body }: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<E, void> {
  if (body !== null) {
    for await (const data of readEvents(body, signal)) {
      const event = JSON.parse(data) as E | LastEvent;
      const { type } = event as LastEvent;
      if (type === 'done') return;
      if (type === 'error') throw errorFrom(event, { status: (event as { status: number }).status });
      yield event as E;
    }
  }
  throw new JellyFaaSError('The answer was cut off; ask again.', { errorId: 'sdk.answer_cut' });
}

/** The events that `lines` complete; `data` holds the lines of the one that is still open. */
function* wholeEvents(lines: readonly string[], data: string[]): Generator<string> {
  for (const line of lines) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    if (line === '' && data.length > 0) yield data.splice(0).join('\n');
  }
}
