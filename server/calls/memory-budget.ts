/** What all instances may be given together, counted by their limits: a promise that holds under any load. */
export interface MemoryBudget {
  /** Takes the memory if it is free and nobody waits for it. */
  tryReserve(memoryMib: number): boolean;
  /** Takes the memory as soon as there is enough; first come, first served. */
  reserve(memoryMib: number): Promise<void>;
  release(memoryMib: number): void;
  /** Looks again whether room can be made: something became idle. */
  retry(): void;
}

export interface MemoryBudgetOptions {
  readonly limitMib: number;
  /** Ends one idle thing, whose memory is released later; false when there is none. */
  readonly makeRoom: () => boolean;
  /** Somebody begins to wait. */
  readonly onExhausted: () => void;
}

export function createMemoryBudget({ limitMib, makeRoom, onExhausted }: MemoryBudgetOptions): MemoryBudget {
  const waiting: { memoryMib: number; grant: () => void }[] = [];
  let usedMib = 0;
  let isMakingRoom = false;

  // A single instance always fits, however small the host: a platform that serves nothing helps nobody.
  const fits = (memoryMib: number) => usedMib === 0 || usedMib + memoryMib <= limitMib;

  function pump(): void {
    for (let next = waiting[0]; next !== undefined && fits(next.memoryMib); next = waiting[0]) {
      usedMib += next.memoryMib;
      waiting.shift();
      next.grant();
    }
    if (waiting.length > 0 && !isMakingRoom) isMakingRoom = makeRoom();
  }

  return {
    tryReserve(memoryMib) {
      if (waiting.length > 0 || !fits(memoryMib)) return false;
      usedMib += memoryMib;
      return true;
    },
    async reserve(memoryMib) {
      await new Promise<void>((grant) => {
        waiting.push({ memoryMib, grant });
        pump();
        if (waiting.length === 1) onExhausted();
      });
    },
    release(memoryMib) {
      usedMib -= memoryMib;
      isMakingRoom = false;
      pump();
    },
    retry: pump,
  };
}
