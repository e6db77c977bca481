import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { SignInLink } from '../api.ts';
import { connect, print, withJson, type Context } from '../context.ts';
import { CliError } from '../failure.ts';

/** The way from the command line into the portal. */
export function addPortalCommand(program: Command, context: Context): void {
  const portal = withJson(program.command('portal'))
    .description('print a link that signs you in to the portal once, within ten minutes')
    .option('--open', 'open it in the browser instead')
    .action(async (options: { open?: boolean }) => {
      const value = await connect(context, portal).send<SignInLink>('POST', '/api/v1/sign-in-links');
      if (options.open === true) await openInBrowser(value.url, context.env);
      const lines = options.open === true ? ['Opened the portal in your browser.'] : [value.url];
      print(context, portal, { value, lines });
    });
}

/** How long a browser may take to read a small file after it was told to. */
const HAND_OVER_MS = 5_000;

/** By a page that only its user can read: arguments of programs are visible to everybody on the machine. */
async function openInBrowser(url: string, env: Context['env']): Promise<void> {
  const directory = mkdtempSync(join(env['XDG_RUNTIME_DIR'] || tmpdir(), 'jellyfaas-portal-'));
  try {
    const page = join(directory, 'portal.html');
    writeFileSync(page, `<!doctype html><meta http-equiv="refresh" content="0;url=${url}">`, { mode: 0o600 });
    const opener = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [page], {
      stdio: 'ignore',
      env,
    });
    const [code] = (await once(opener, 'exit')) as [number | null];
    if (code !== 0) throw new Error('the opener failed');
    await sleep(HAND_OVER_MS);
  } catch {
    throw new CliError('No browser could be opened. Run "jellyfaas portal" and open the link yourself.', {
      code: 'cli.no_browser',
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
