import type { Accounts } from '../accounts/accounts.ts';
import type { Holder, Principal } from '../accounts/principal.ts';
import { randomBase62 } from '../kernel/ids.ts';

/** For whom a desk works. */
export interface Bearer {
  readonly principal: Principal;
  /** For the records of what is done for him. */
  readonly originIp: string;
}

/** With the account key that his token carries; undefined when it was revoked since. */
export interface KnownBearer extends Bearer {
  readonly unlock: () => Promise<Holder | undefined>;
  /** Says that his request failed, where its answer's status does not. */
  readonly fail: () => void;
}

/** Lets a desk act for a caller as long as his request runs. */
export interface Pass {
  readonly token: string;
  readonly hasFailed: boolean;
  end(): void;
}

/** The passes of all requests that desks answer now. */
export interface Passes {
  /** `presented`: the caller's own token. */
  issue(bearer: Bearer, presented: string): Pass;
  find(token: string): KnownBearer | undefined;
}

const TOKEN_LENGTH = 32;

export function createPasses(accounts: Pick<Accounts, 'unlock'>): Passes {
  const bearers = new Map<string, KnownBearer>();
  return {
    issue(bearer, presented) {
      const token = `pass_${randomBase62(TOKEN_LENGTH)}`;
      let hasFailed = false;
      const fail = (): void => void (hasFailed = true);
      bearers.set(token, { ...bearer, unlock: () => accounts.unlock(presented), fail });
      return {
        token,
        get hasFailed() {
          return hasFailed;
        },
        end: () => void bearers.delete(token),
      };
    },
    find: (token) => bearers.get(token),
  };
}
