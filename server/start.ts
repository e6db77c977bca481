import { readFileSync } from 'node:fs';
import { compose, type Platform } from './compose.ts';
import type { NewOwner } from './compose-owner.ts';
import { restoreOffline, restoreOrderIn } from './compose-backups.ts';
import { type Config, loadConfig } from './config.ts';
import { PlatformError } from './kernel/errors.ts';
import { createEventLog, type EventLog } from './kernel/events.ts';
import { createJail } from './sandbox/bubblewrap-jail.ts';
import { detectHost } from './sandbox/host.ts';
import type { Jail } from './sandbox/jail.ts';
import { programArguments } from './sandbox/mount-namespace.ts';
import { createUnsafeJail } from './sandbox/no-sandbox-jail.ts';
import type { RunDirectory } from './sandbox/run-directory.ts';

const startedAt = performance.now();
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly runDirectory: RunDirectory;
}

/** Starts the platform, says how to use it, and ends it cleanly on SIGTERM or SIGINT. */
export async function start(surroundings: Surroundings): Promise<void> {
  try {
    await open(surroundings);
  } catch (error) {
    fail(error);
  }
}

async function open({ env, runDirectory }: Surroundings): Promise<void> {
  const { order, rest } = restoreOrderIn(programArguments());
  const config = loadConfig(env, rest);
  // Files that the server makes are its own, whatever the operator's umask is.
  process.umask(0o077);
  if (order !== undefined) {
    const { generation, receipt } = await restoreOffline(config, order);
    process.stdout.write(
      `Restored generation ${generation}. Receipt:\n${receipt}\nStart the server without --restore.\n`,
    );
    process.exit(0);
  }
  const events = createEventLog((line) => void process.stderr.write(line), Date.now);
  const jail = await openJail(config, runDirectory, events);
  const onNewOwner = (owner: NewOwner): void => void process.stdout.write(succession(owner));
  const platform = await compose({ config, version, jail, events, onNewOwner });
  endOnSignal(platform, events);
  for (const { code } of platform.limitations) events.emit('server.limitation', { code });
  events.emit('server.started', {
    ...platform.address,
    version,
    sandbox: platform.sandbox,
    took: Math.round(performance.now() - startedAt),
  });
  process.stdout.write(greeting(platform, config));
}

async function openJail(config: Config, runDirectory: RunDirectory, events: EventLog): Promise<Jail> {
  if (config.unsafeNoSandbox) return createUnsafeJail({ runDirectory, events });
  return createJail({ host: await detectHost(), runDirectory, events });
}

function greeting(platform: Platform, config: Config): string {
  const { publicUrl, newOwner, limitations, sandbox } = platform;
  const lines = ['', `JellyFaaS ${version} listens on ${publicUrl}`, `Data directory: ${config.dataDir}`];
  if (sandbox === 'none')
    lines.push('', 'WARNING: functions run WITHOUT a sandbox. Deploy only what you wrote yourself.');
  if (limitations.length > 0) {
    lines.push(
      '',
      'This host cannot enforce everything:',
      ...limitations.map(({ message }) => `  - ${message}`),
    );
  }
  if (newOwner !== undefined) {
    // A key that the operator gave himself is no news to him, and output is often kept.
    const isPreset = newOwner.apiKey.reveal() === config.bootstrapApiKey?.reveal();
    lines.push(...(isPreset ? [] : keyLines(newOwner)), ...linkLines(newOwner), '', 'Try:');
    lines.push(`  npx jellyfaas login --url ${publicUrl}`);
    lines.push('  npx jellyfaas create -n my-greeter -l node -d . && npx jellyfaas zip -s my-greeter -d -w');
    lines.push('  npx jellyfaas invoke my-greeter --query name=foo');
  }
  return `${lines.join('\n')}\n\n`;
}

/** The only owner has erased himself: nobody could be let in any more. */
function succession(owner: NewOwner): string {
  const news = 'The account of the only owner was erased. This installation begins anew, with a new owner.';
  return `${['', news, ...keyLines(owner), ...linkLines(owner)].join('\n')}\n\n`;
}

function keyLines({ apiKey }: NewOwner): string[] {
  return ['', `Your API key, shown this once: ${apiKey.reveal()}`];
}

function linkLines({ link }: NewOwner): string[] {
  return ['', `The portal, for ten minutes and once: ${link.reveal()}`];
}

function endOnSignal(platform: Platform, events: EventLog): void {
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = true;
    const from = performance.now();
    events.emit('server.stopping', { signal });
    void platform.close().then((failed) => {
      for (const area of failed)
        events.emit('server.failed', { code: 'server.close_failed', area: area.replaceAll(' ', '_') });
      events.emit('server.stopped', { took: Math.round(performance.now() - from) });
      process.exit(failed.length === 0 ? 0 : 1);
    });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** A start that failed says why in one paragraph; anything unexpected is shown to the operator whole. */
function fail(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    process.stderr.write(
      `\nThe platform cannot listen there (${code}). Free the address, or set JELLYFAAS_HOST and JELLYFAAS_PORT.\n`,
    );
    process.exit(1);
  }
  const text =
    error instanceof PlatformError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\nThe platform cannot start. ${text}\n`);
  process.exit(1);
}
