import { PlatformError } from '../../kernel/errors.ts';

export interface SlotLimits {
  readonly total: number;
  readonly perHolder: number;
  /** Code of the refusal. */
  readonly code: string;
  /** What there are too many of, for the message: `uploads`. */
  readonly what: string;
}

/** Bounds how many of something exist at once, together and for each account. */
export interface Slots {
  /** Takes a slot or throws `resource_exhausted`; call what it returns exactly once to give the slot back. */
  take(holder: string): () => void;
}

export function createSlots(limits: SlotLimits): Slots {
  const held = new Map<string, number>();
  let total = 0;
  return {
    take(holder) {
      const mine = held.get(holder) ?? 0;
      if (total >= limits.total || mine >= limits.perHolder) {
        throw new PlatformError({
          kind: 'resource_exhausted',
          code: limits.code,
          message: `Too many ${limits.what} at once. Wait until one has ended, then try again.`,
          retryAfterSeconds: 5,
        });
      }
      held.set(holder, mine + 1);
      total++;
      return () => {
        total--;
        const rest = (held.get(holder) ?? 1) - 1;
        if (rest === 0) held.delete(holder);
        else held.set(holder, rest);
      };
    },
  };
}
