import type { Command } from 'commander';
import { settingsOf, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';
import { checkInstallationKey } from '../installation-key.ts';
import { startSealingProxy } from '../proxy/sealing-proxy.ts';

const DEFAULT_PORT = 8484;

interface ProxyOptions {
  readonly port: string;
  readonly installationKey?: string;
  readonly json?: boolean;
}

export function addProxyCommand(program: Command, context: Context): void {
  const command = withJson(program.command('proxy'))
    .description(
      'seal the calls, questions and documents of clients that cannot, on this machine; give them its address',
    )
    .option('--port <number>', 'of 127.0.0.1; 0 takes any', String(DEFAULT_PORT))
    .option('--installation-key <key>', "take keys for sealing only with this server's signature (its `x`)")
    .action(async ({ port, installationKey, json }: ProxyOptions) => {
      const { url: server } = settingsOf(context, command);
      const { url, closed } = await startSealingProxy({
        url: server,
        port: portOf(port),
        installationKey: checkInstallationKey(installationKey),
      });
      const line = `Calls to ${url} go on to ${server}, sealed. Ctrl-C ends it.`;
      context.terminal.out(json === true ? JSON.stringify({ url, server }) : line);
      await closed;
    });
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw usageError(`"${text}" is not a port: it is a number from 0 to 65535.`);
}
