import { describe, expect, it } from 'vitest';
import { askStreaming } from './ask.ts';
import { readEvents } from './event-stream.ts';
import { Session } from './session.ts';

/** A body that arrives in pieces of so many bytes. */
function arriving(text: string, bytes: number): ReadableStream<Uint8Array> {
  const all = new TextEncoder().encode(text);
  const pieces = Array.from({ length: Math.ceil(all.length / bytes) }, (_, at) =>
    all.slice(at * bytes, (at + 1) * bytes),
  );
  return ReadableStream.from(pieces) as unknown as ReadableStream<Uint8Array>;
}

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('an event stream is read whole, wherever it is cut', () => {
  for (const [name, end] of Object.entries({ LF: '\n', CRLF: '\r\n' })) {
    for (const bytes of [1, 2, 3, 7, 1000]) {
      it(`${name}, ${bytes} bytes at a time`, async () => {
        const text = [': open', '', 'event: text', 'data: "grüße 😀"', '', 'data:1', 'data:2', '', ''].join(
          end,
        );
        expect(await collect(readEvents(arriving(text, bytes)))).toEqual(['"grüße 😀"', '1\n2']);
      });
    }
  }

  it('but an event that has not ended is none', async () => {
    expect(await collect(readEvents(arriving('data: 1\n\ndata: 2', 4)))).toEqual(['1']);
  });
});

describe('a streamed answer', () => {
  const asked = (text: string) =>
    askStreaming(
      new Session({
        url: 'http://server.invalid',
        token: () => 'token',
        fetch: () => Promise.resolve(new Response(arriving(text, 5) as unknown as string)),
      }),
      'question',
      {},
    );

  it('that is cut is an error, after all that came', async () => {
    const events = asked('data: {"type":"text","text":"half"}\n\n');
    expect((await events.next()).value).toEqual({ type: 'text', text: 'half' });
    await expect(events.next()).rejects.toMatchObject({ errorId: 'sdk.answer_cut' });
  });

  it("that fails rejects with the server's code and status", async () => {
    const event = '{"type":"error","code":"models.none_configured","detail":"There is none.","status":409}';
    await expect(asked(`data: ${event}\n\ndata: {"type":"done"}\n\n`).next()).rejects.toMatchObject({
      errorId: 'models.none_configured',
      status: 409,
      message: 'There is none.',
    });
  });
});
