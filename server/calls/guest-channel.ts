import type { Duplex } from 'node:stream';
import type { DeploymentId } from '../kernel/ids.ts';

/** What a guest may say on its control socket (see WorkerPlan). Anything else is ignored. */
export type GuestMessage =
  | { readonly t: 'up' }
  | { readonly t: 'ready' }
  | { readonly t: 'failed'; readonly message: string }
  | ({ readonly t: 'keys' } & SealedKeys);

/** The keys to which calls are sealed now. */
export interface SealedKeys {
  /** Body of `application/ohttp-keys` (RFC 9458). */
  readonly configs: Buffer;
  /** How long they are good for at least. */
  readonly freshSeconds: number;
}

export interface ClaimMessage {
  readonly t: 'claim';
  readonly entrypoint: string;
  readonly egress: boolean;
  /** To the agent of a sealed jail: what requests must be sealed for, and its limits. */
  readonly sealed?: SealedClaim;
}

export interface SealedClaim {
  readonly deploymentId: DeploymentId;
  /** Of a sealed request. */
  readonly bytesMax: number;
  /** For what all requests hold until the function has them. */
  readonly roomBytes: number;
  readonly keyLifeMs: number;
}

const LINE_CHARS_MAX = 65_536;
const FAILURE_CHARS_MAX = 2000;
const CONFIGS_CHARS_MAX = 1024;
const FRESH_SECONDS_MAX = 3600;

/** The host's end of the guest protocol. After the claim nothing that the other end says may be trusted. */
export interface GuestChannel {
  /** The next message; null when the channel ends or breaks the protocol's bounds. */
  next(): Promise<GuestMessage | null>;
  claim(message: ClaimMessage): void;
  /** Asks the agent of a sealed jail. */
  askKeys(): void;
  /** Nothing more is expected until `next()`: a guest that goes on writing blocks itself. */
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
      control.resume();
      while (messages.length === 0 && !isEnded) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return messages.shift() ?? null;
    },
    claim: (message) => void control.write(`${JSON.stringify(message)}\n`),
    askKeys: () => void control.write('{"t":"keys"}\n'),
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
  if (value.t === 'keys') return parseKeys(value);
  if (value.t !== 'failed') return undefined;
  const message = 'message' in value && typeof value.message === 'string' ? value.message : '';
  return { t: 'failed', message: message.slice(0, FAILURE_CHARS_MAX) };
}

function parseKeys(value: object): GuestMessage | undefined {
  if (!('configs' in value) || typeof value.configs !== 'string') return undefined;
  if (!('freshSeconds' in value) || typeof value.freshSeconds !== 'number') return undefined;
  const freshSeconds = Math.trunc(Math.min(value.freshSeconds, FRESH_SECONDS_MAX));
  if (value.configs.length > CONFIGS_CHARS_MAX || !(freshSeconds >= 0)) return undefined;
  return { t: 'keys', configs: Buffer.from(value.configs, 'base64'), freshSeconds };
}
