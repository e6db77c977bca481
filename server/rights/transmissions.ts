import type { Readable } from 'node:stream';
import { fetch } from 'undici';
import * as z from 'zod';
import { atMost } from '../kernel/at-most.ts';
import { PlatformError, causesOf } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { EgressRefused, type EgressNetwork } from '../sandbox/egress-guard.ts';
import { createGuardedAgent } from '../sandbox/guarded-agent.ts';
import { outsidePolicy } from '../sandbox/outside-policy.ts';

/** Where every installation receives: nothing else of another server can be reached by a transmission. */
export const RECEPTIONS_PATH = '/api/v1/rights/receptions';

/** Where a copy goes, as the invitation there says. */
export interface Receiver {
  readonly address: string;
  readonly token: string;
}

/** What the receiver says of it. */
export interface Transmitted {
  readonly taken: Readonly<Record<string, number>>;
  readonly leftCount: number;
  /** Compact JWS of the receiving installation. */
  readonly receipt: string;
}

/** Sends a copy to another installation. Rejects with `rights.receiver_*`. */
export type Transmit = (receiver: Receiver, copy: Readable, signal: AbortSignal) => Promise<Transmitted>;

export interface TransmissionsOptions {
  readonly network: EgressNetwork;
  /** Hosts that the operator trusts though they are not public: `host` for all ports, or `host:port`. */
  readonly allowedHosts: readonly string[];
  readonly events: Pick<EventLog, 'emit'>;
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30 * 60_000;
const ANSWER_BYTES_MAX = 64 * 1024;
const ADDRESS_LENGTH_MAX = 2048;

const Answer = z.object({
  taken: z.record(z.string().max(100), z.int().min(0)),
  leftCount: z.int().min(0),
  receipt: z.string().max(8192),
});

/**
 * The one connection leads to the address and nowhere else, to an IP address that was checked and is the one connected to;
 * without redirects, and with a bounded answer of which nothing but its form is believed.
 */
export function createTransmit(options: TransmissionsOptions): Transmit {
  const { network, allowedHosts, events, deadlineMs = DEADLINE_MS } = options;

  async function send({ url, token }: Sending, copy: Readable, signal: AbortSignal): Promise<Transmitted> {
    const agent = createGuardedAgent({
      policyOf: () => outsidePolicy(url, allowedHosts),
      network,
      connections: 1,
    });
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/zip',
          accept: 'application/json',
          'accept-encoding': 'identity',
        },
        body: copy,
        duplex: 'half',
        redirect: 'manual',
        dispatcher: agent,
        signal,
      });
      if (response.status !== 200) throw refusalOf(response.status);
      const body = response.body?.pipeThrough(atMost(ANSWER_BYTES_MAX, badAnswer)) ?? null;
      return answerOf(await new Response(body).text());
    } finally {
      await agent.destroy();
    }
  }

  return async ({ address, token }, copy, signal) => {
    try {
      const url = urlOf(address, allowedHosts);
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
      return await send({ url, token }, copy, bounded);
    } catch (thrown) {
      signal.throwIfAborted();
      const refused = causesOf(thrown).find((error) => error instanceof EgressRefused);
      if (refused !== undefined) {
        events.emit('egress.refused', { code: refused.code });
        throw badAddress();
      }
      throw causesOf(thrown).find((error) => error instanceof PlatformError) ?? unreachable();
    } finally {
      copy.destroy();
    }
  };
}

interface Sending {
  readonly url: URL;
  readonly token: string;
}

function urlOf(address: string, allowedHosts: readonly string[]): URL {
  const url = address.length <= ADDRESS_LENGTH_MAX ? URL.parse(address) : null;
  const isReceptions =
    url !== null &&
    url.pathname.endsWith(RECEPTIONS_PATH) &&
    url.username + url.password + url.search + url.hash === '' &&
    outsidePolicy(url, allowedHosts) !== undefined;
  if (!isReceptions) throw badAddress();
  return url;
}

function answerOf(text: string): Transmitted {
  try {
    return Answer.parse(JSON.parse(text));
  } catch {
    throw badAnswer();
  }
}

function badAddress(): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'rights.receiver_address',
    message:
      'This address cannot be sent to. Use that of an invitation: https, a public host, and nothing behind its path.',
  });
}

function unreachable(): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'rights.receiver_unreachable',
    message: 'The receiver cannot be reached, broke off, or took too long. Send the copy again.',
  });
}

function badAnswer(): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'rights.receiver_answer',
    message:
      'The receiver did not answer as a JellyFaaS installation does. Whether it took the copy is unknown.',
  });
}

function refusalOf(status: number): PlatformError {
  if (status >= 300 && status < 400)
    return new PlatformError({
      kind: 'bad_gateway',
      code: 'rights.receiver_redirected',
      message: 'The receiver points elsewhere. A copy goes to the address of the invitation alone.',
    });
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'rights.receiver_refused',
    message: `The receiver refused the copy with status ${status}. Ask there for a new invitation.`,
  });
}
