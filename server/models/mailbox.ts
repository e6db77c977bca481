/** Values in order from one writer that does not wait to one reader that does. */
export interface Mailbox<T> {
  put(value: T): void;
  /** What was put before is still read; then `take` rejects. */
  fail(error: Error): void;
  take(): Promise<T>;
}

export function createMailbox<T>(): Mailbox<T> {
  const values: T[] = [];
  let failure: Error | undefined;
  let reader: PromiseWithResolvers<T> | undefined;
  return {
    put(value) {
      if (reader === undefined) values.push(value);
      else reader.resolve(value);
      reader = undefined;
    },
    fail(error) {
      failure = error;
      reader?.reject(error);
      reader = undefined;
    },
    take() {
      const value = values.shift();
      if (value !== undefined) return Promise.resolve(value);
      if (failure !== undefined) return Promise.reject(failure);
      reader = Promise.withResolvers<T>();
      return reader.promise;
    },
  };
}
