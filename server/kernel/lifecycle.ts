/**
 * Owns everything that has to be closed. Resources close in the reverse order of their opening, each within
 * its deadline; one that fails or hangs does not keep the others from closing.
 */
export interface Lifecycle {
  /** Registers how to close what was just opened. */
  onClose(name: string, close: () => Promise<void> | void): void;
  /** Closes everything once; names of resources that failed or timed out are returned. */
  close(deadlineMs: number): Promise<string[]>;
}

export function createLifecycle(): Lifecycle {
  const closers: { name: string; close: () => Promise<void> | void }[] = [];
  let closing: Promise<string[]> | undefined;

  async function closeAll(deadlineMs: number): Promise<string[]> {
    const failed: string[] = [];
    for (const { name, close } of closers.toReversed()) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('close deadline')), deadlineMs);
      });
      try {
        await Promise.race([Promise.resolve(close()), late]);
      } catch {
        failed.push(name);
      } finally {
        clearTimeout(timer);
      }
    }
    return failed;
  }

  return {
    onClose: (name, close) => void closers.push({ name, close }),
    close: (deadlineMs) => (closing ??= closeAll(deadlineMs)),
  };
}
