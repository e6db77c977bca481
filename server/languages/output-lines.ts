import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

const LINE_CHARACTERS_MAX = 4096;
const LINES_MAX = 10_000;
const TAIL_CHARACTERS_MAX = 8192;

/**
 * Turns the bytes that a build tool prints into bounded, plain lines. The bytes are hostile: without a bound on
 * line length, line count and tail, a build could fill the memory of the server.
 */
export interface OutputLines {
  /** A sink for one stream: half a character of one stream must not meet half a character of another. */
  stream(): { push(chunk: Buffer): void; end(): void };
  /** The last lines of all streams together, at most 8 KiB. */
  tail(): string;
}

export function createOutputLines(onLine: (line: string) => void): OutputLines {
  let count = 0;
  let tail = '';

  function emit(raw: string): void {
    const line = plain(raw);
    if (line === '') return;
    tail = `${tail}${line}\n`.slice(-TAIL_CHARACTERS_MAX);
    count++;
    if (count <= LINES_MAX) onLine(line);
    else if (count === LINES_MAX + 1) onLine(`[more than ${LINES_MAX} lines; the rest is not shown]`);
  }

  function stream(): { push(chunk: Buffer): void; end(): void } {
    const decoder = new StringDecoder('utf8');
    let held = '';
    function accept(text: string): void {
      // A carriage return redraws a progress bar: each state of it counts as a line.
      const parts = text.split(/[\r\n]/);
      for (const [index, part] of parts.entries()) {
        if (index > 0) {
          emit(held);
          held = '';
        }
        held += part.slice(0, LINE_CHARACTERS_MAX - held.length);
      }
    }
    return {
      push: (chunk) => accept(decoder.write(chunk)),
      end() {
        accept(decoder.end());
        emit(held);
        held = '';
      },
    };
  }

  return { stream, tail: () => tail.trim() };
}

/** Text without colours, cursor movements and other control characters. */
function plain(raw: string): string {
  return stripVTControlCharacters(raw)
    .replaceAll(/(?!\t)\p{Cc}/gu, '')
    .trimEnd();
}
