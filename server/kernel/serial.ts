/** Runs the tasks given to it one after another, in order, whether or not earlier ones failed. */
export type Serial = <T>(task: () => Promise<T>) => Promise<T>;

export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return async (task) => {
    const mine = last.then(task, task);
    last = mine.catch(() => undefined);
    return await mine;
  };
}

/** The same for each name by itself. */
export type Serials<Name> = <T>(name: Name, task: () => Promise<T>) => Promise<T>;

export function createSerials<Name>(): Serials<Name> {
  const inUse = new Map<Name, { readonly serial: Serial; tasks: number }>();
  return async (name, task) => {
    const entry = inUse.get(name) ?? { serial: createSerial(), tasks: 0 };
    inUse.set(name, entry);
    entry.tasks++;
    try {
      return await entry.serial(task);
    } finally {
      if (--entry.tasks === 0) inUse.delete(name);
    }
  };
}
