import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrowdOptions, CrowdResult } from '../testkit/visitor-crowd.ts';
import type { LoadOptions, LoadResult } from './load.ts';

/** Makes load from a process of its own, so that neither measuring nor the event loop here gets into its way. */
export interface Loader {
  readonly pid: number;
  /** Rejects when the server breaks a connection or any answer is not 200. */
  run(options: LoadOptions): Promise<LoadResult>;
  /** Visitors of AI.Mee. */
  crowd(options: CrowdOptions): Promise<CrowdResult>;
  close(): void;
}

/** What the child is told, and what it answers. */
export type LoadOrder = { readonly load: LoadOptions } | { readonly crowd: CrowdOptions };
export type LoadAnswer = { readonly result: LoadResult | CrowdResult } | { readonly failed: string };

export function startLoader(): Loader {
  const child = fork(fileURLToPath(new URL('./load-process.ts', import.meta.url)));
  async function send<R extends LoadResult | CrowdResult>(order: LoadOrder): Promise<R> {
    child.send(order);
    const [answer] = (await once(child, 'message')) as [LoadAnswer];
    if ('failed' in answer) throw new Error(answer.failed);
    return answer.result as R;
  }
  return {
    pid: child.pid ?? -1,
    async run(options) {
      const result = await send<LoadResult>({ load: options });
      const { failures } = result;
      if (failures > 0) throw new Error(`${failures} of ${options.requests} answers were not 200`);
      return result;
    },
    crowd: (options) => send<CrowdResult>({ crowd: options }),
    close: () => child.disconnect(),
  };
}
