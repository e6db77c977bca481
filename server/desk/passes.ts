import type { Principal } from '../accounts/principal.ts';
import { randomBase62 } from '../kernel/ids.ts';

/** For whom a desk works. */
export interface Bearer {
  readonly principal: Principal;
  /** For the records of what is done for him. */
  readonly originIp: string;
}

/** Lets a desk act for a caller as long as his request runs. */
export interface Pass {
  readonly token: string;
  end(): void;
}

/** The passes of all requests that desks answer now. */
export interface Passes {
  issue(bearer: Bearer): Pass;
  find(token: string): Bearer | undefined;
}

const TOKEN_LENGTH = 32;

export function createPasses(): Passes {
  const bearers = new Map<string, Bearer>();
  return {
    issue(bearer) {
      const token = `pass_${randomBase62(TOKEN_LENGTH)}`;
      bearers.set(token, bearer);
      return { token, end: () => void bearers.delete(token) };
    },
    find: (token) => bearers.get(token),
  };
}
