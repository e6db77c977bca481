import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Command } from './command.ts';

export interface StartedProxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** `jellyfaas proxy` before `server`; resolves with its first line. */
export async function startProxy(
  command: Command,
  server: string,
  words: readonly string[] = [],
): Promise<StartedProxy> {
  const child = command.start(['proxy', '--url', server, '--port', '0', '--json', ...words]);
  if (child.stdout === null) throw new Error('no pipe');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const started = JSON.parse(line) as { url: string; server: string };
  if (started.server !== server) throw new Error(`it stands before ${started.server}`);
  return {
    url: started.url,
    async stop() {
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
}
