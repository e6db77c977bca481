import { stripVTControlCharacters } from 'node:util';
import type { BuildEvent, BuildStatus } from './functions.ts';

const EVENTS_MAX = 1_000;
const LINE_CHARACTERS_MAX = 1_000;

/**
 * What a running build said, in RAM only: the newest events in a ring that any number of watchers replay and
 * follow. A watcher that is too slow misses the lines that fell out of the ring; nothing ever waits for him.
 */
export interface BuildLog {
  readonly status: BuildStatus;
  setStatus(status: BuildStatus): void;
  /** One line of tool output; terminal control sequences are removed, overlong lines cut. */
  line(text: string): void;
  failed(errorDetails: string): void;
  /** No event comes any more: everyone who follows is let go after the last one. */
  end(): void;
  follow(signal: AbortSignal): AsyncIterable<BuildEvent>;
}

export function createBuildLog(): BuildLog {
  const events: BuildEvent[] = [];
  let dropped = 0;
  let ended = false;
  let status: BuildStatus = 'QUEUED';
  let changed = Promise.withResolvers<void>();

  function wake(): void {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  function push(event: BuildEvent): void {
    if (ended) return;
    events.push(event);
    if (events.length > EVENTS_MAX) {
      events.shift();
      dropped++;
    }
    wake();
  }

  async function* follow(signal: AbortSignal): AsyncGenerator<BuildEvent> {
    signal.addEventListener('abort', wake);
    try {
      let next = 0;
      while (!signal.aborted) {
        next = Math.max(next, dropped);
        const event = events[next - dropped];
        if (event !== undefined) {
          next++;
          yield event;
        } else if (ended) {
          return;
        } else {
          await changed.promise;
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  push({ type: 'status', status });
  return {
    get status() {
      return status;
    },
    setStatus: (next) => {
      status = next;
      push({ type: 'status', status });
    },
    line: (text) => push({ type: 'line', text: cleanLine(text) }),
    failed: (errorDetails) => push({ type: 'failed', errorDetails }),
    end: () => {
      ended = true;
      wake();
    },
    follow,
  };
}

function cleanLine(text: string): string {
  // Cut before cleaning: a tool that prints megabytes without a newline must not cost us the cleaning of them.
  return stripVTControlCharacters(text.slice(0, LINE_CHARACTERS_MAX)).trimEnd();
}
