import type { AccountId } from '../kernel/ids.ts';

/** How many requests may wait or run, in all and of one account: the others are refused at once. */
export interface Admission<Account = AccountId> {
  /** Takes a place until the function that it returns is called. Throws `busy` when there is none. */
  enter(account: Account): () => void;
}

export interface AdmissionLimits {
  readonly queueMax: number;
  readonly queuePerAccountMax: number;
}

export function createAdmission<Account = AccountId>(
  { queueMax, queuePerAccountMax }: AdmissionLimits,
  busy: () => Error,
): Admission<Account> {
  const waiting = new Map<Account, number>();
  let total = 0;
  return {
    enter(account) {
      const own = waiting.get(account) ?? 0;
      if (total >= queueMax || own >= queuePerAccountMax) throw busy();
      total++;
      waiting.set(account, own + 1);
      return () => {
        total--;
        const left = (waiting.get(account) ?? 1) - 1;
        if (left === 0) waiting.delete(account);
        else waiting.set(account, left);
      };
    },
  };
}
