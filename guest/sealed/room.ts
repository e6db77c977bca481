import { REFUSED, Refusal } from './refusal.ts';

/** Memory for what requests hold until their function has them. */
export interface Room {
  open(): Share;
}

export interface Share {
  /** Throws a Refusal when no more is free. */
  take(bytes: number): void;
  close(): void;
}

export function createRoom(bytesMax: number): Room {
  let free = bytesMax;
  return {
    open() {
      let taken = 0;
      return {
        take(bytes) {
          if (bytes > free) throw new Refusal(REFUSED.noRoom);
          free -= bytes;
          taken += bytes;
        },
        close() {
          free += taken;
          taken = 0;
        },
      };
    },
  };
}
