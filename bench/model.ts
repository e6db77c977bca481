import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Characters of the time that `stream` is answered with. */
export const STAMP_LENGTH = 20;
/** Deltas of each stream of the crowd. */
export const CROWD_DELTAS = 50;

/** What the child tells. */
export type ModelMessage =
  | { readonly url: string }
  /** From the arrival of a request to the end of its answer. */
  | { readonly tookMs: number };

/** The scripted model in a process of its own, so that neither the load nor the measuring gets into its way. */
export interface BenchModel {
  readonly url: string;
  /** What the model itself took for the next `count` requests, together. */
  took(count: number): Promise<number>;
  /** Lets the held stream go on. */
  release(): void;
  close(): void;
}

export async function startModel(): Promise<BenchModel> {
  const child = fork(fileURLToPath(new URL('./model-process.ts', import.meta.url)));
  const [first] = (await once(child, 'message')) as [ModelMessage];
  if (!('url' in first)) throw new Error('the scripted model did not start');
  return {
    url: first.url,
    took: (count) =>
      new Promise((resolve) => {
        let sum = 0;
        let left = count;
        const hear = (message: ModelMessage): void => {
          if ('tookMs' in message) sum += message.tookMs;
          if (--left > 0) return;
          child.off('message', hear);
          resolve(sum);
        };
        child.on('message', hear);
      }),
    release: () => void child.send('go on'),
    close: () => child.disconnect(),
  };
}
