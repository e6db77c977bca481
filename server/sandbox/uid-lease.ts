import { createServer, type Server } from 'node:net';
import { PlatformError } from '../kernel/errors.ts';

/** First and last host uid that jails may have; nothing else on the host should own files under them. */
export interface UidRange {
  readonly first: number;
  readonly last: number;
}

export const DEFAULT_UID_RANGE: UidRange = { first: 210_000, last: 275_535 };

const BLOCK_SIZE = 1024;

/** Hands out uids so that no two live jails of this host share one. */
export interface UidLease {
  /** Throws `sandbox.uids_exhausted` when all are in use. */
  take(): number;
  release(uid: number): void;
  close(): Promise<void>;
}

/**
 * Leases one block of the range. Several platforms may run on one host (tests do), so a block is claimed by
 * binding an abstract Unix socket named after it: the kernel makes that atomic, and gives the block back when
 * the process ends however it ends.
 */
export async function leaseUids(range: UidRange): Promise<UidLease> {
  for (let first = range.first; first <= range.last; first += BLOCK_SIZE) {
    const claim = await claimBlock(first);
    if (claim !== undefined) return leaseOf(first, Math.min(first + BLOCK_SIZE - 1, range.last), claim);
  }
  throw exhausted();
}

async function claimBlock(first: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(`\0jellyfaas-uids-${first}`, () => resolve(true));
  });
  if (!bound) return undefined;
  server.unref();
  return server;
}

function leaseOf(first: number, last: number, claim: Server): UidLease {
  const inUse = new Set<number>();
  let next = first;
  return {
    // Round robin, so that a uid rests as long as possible before another jail gets it.
    take() {
      for (let tries = first; tries <= last; tries++) {
        const uid = next;
        next = next === last ? first : next + 1;
        if (!inUse.has(uid)) {
          inUse.add(uid);
          return uid;
        }
      }
      throw exhausted();
    },
    release: (uid) => void inUse.delete(uid),
    close: () => new Promise((resolve) => claim.close(() => resolve())),
  };
}

function exhausted(): PlatformError {
  return new PlatformError({
    kind: 'resource_exhausted',
    owner: 'platform',
    code: 'sandbox.uids_exhausted',
    message:
      'Every user id set aside for jails is in use. Try again later, or let the operator widen the range.',
  });
}
