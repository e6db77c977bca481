import { JellyFaaSError, errorFrom } from './error.ts';
import { readLines } from './lines.ts';

/** The `data` of server-sent events, until the stream ends. Leaving the loop closes the connection. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const data: string[] = [];
  for await (const lines of readLines(body, signal)) yield* wholeEvents(lines, data);
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
