import type { Duplex } from 'node:stream';

/** What a guest may say on its control socket (see WorkerPlan). Anything else is ignored. */
export type GuestMessage =
  | { readonly t: 'up' }
  | { readonly t: 'ready' }
  | { readonly t: 'failed'; readonly message: string };

export interface ClaimMessage {
  readonly t: 'claim';
  readonly entrypoint: string;
  readonly egress: boolean;
}

const LINE_CHARS_MAX = 65_536;
const FAILURE_CHARS_MAX = 2000;

/** The host's end of the guest protocol. After the claim the other end is in the function's hands. */
export interface GuestChannel {
  /** The next message; null when the channel ends or breaks the protocol's bounds. */
  next(): Promise<GuestMessage | null>;
  claim(message: ClaimMessage): void;
  /** Nothing more is expected: a guest that goes on writing blocks itself. */
  stop(): void;
}

export function openGuestChannel(control: Duplex): GuestChannel {
  const messages: GuestMessage[] = [];
  let partial = '';
  let isEnded = false;
  let wake: (() => void) | undefined;

  function onLine(line: string): void {
    const message = parseMessage(line);
    if (message !== undefined && messages.length < 4) messages.push(message);
  }
  function onEnd(): void {
    isEnded = true;
    wake?.();
  }

  control.setEncoding('utf8');
  control.on('error', onEnd);
  control.on('close', onEnd);
  control.on('end', onEnd);
  control.on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (partial.length > LINE_CHARS_MAX) onEnd();
    else wake?.();
  });

  return {
    async next() {
      while (messages.length === 0 && !isEnded) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return messages.shift() ?? null;
    },
    claim: (message) => void control.write(`${JSON.stringify(message)}\n`),
    stop: () => void control.pause(),
  };
}

function parseMessage(line: string): GuestMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('t' in value)) return undefined;
  if (value.t === 'up' || value.t === 'ready') return { t: value.t };
  if (value.t !== 'failed') return undefined;
  const message = 'message' in value && typeof value.message === 'string' ? value.message : '';
  return { t: 'failed', message: message.slice(0, FAILURE_CHARS_MAX) };
}
