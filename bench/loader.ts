import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOptions, LoadResult } from './load.ts';

/** Makes load from a process of its own, so that neither measuring nor the event loop here gets into its way. */
export interface Loader {
  readonly pid: number;
  /** Rejects when the server breaks a connection or any answer is not 200. */
  run(options: LoadOptions): Promise<LoadResult>;
  close(): void;
}

type Answer = { readonly result: LoadResult } | { readonly failed: string };

export function startLoader(): Loader {
  const child = fork(fileURLToPath(new URL('./load-process.ts', import.meta.url)));
  return {
    pid: child.pid ?? -1,
    async run(options) {
      child.send(options);
      const [answer] = (await once(child, 'message')) as [Answer];
      if ('failed' in answer) throw new Error(answer.failed);
      const { failures } = answer.result;
      if (failures > 0) throw new Error(`${failures} of ${options.requests} answers were not 200`);
      return answer.result;
    },
    close: () => child.disconnect(),
  };
}
