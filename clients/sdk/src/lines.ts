import { JellyFaaSError, received } from './error.ts';

/** Longer than any line of a server that keeps its own limits. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;

/** Whole lines of an answer, those together that came together. Leaving the loop closes the connection. */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await received(reader.read(), signal);
      if (done) return;
      // A CR at the end may be the first half of a CRLF.
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      yield lines;
      if (rest.length > LINE_LENGTH_MAX) {
        throw new JellyFaaSError('An event is too long.', { errorId: 'sdk.event_too_long' });
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
