import type { Command } from 'commander';
import type { AccountKeysRotated, InstallationKeysRotated } from '../api.ts';
import { connect, print, withJson, type Context } from '../context.ts';

/** Other keys for what lies on the server's disk. Nothing that anybody holds or remembers changes. */
export function addRotateKeysCommand(program: Command, context: Context): void {
  const rotate = withJson(program.command('rotate-keys'))
    .description('encrypt what is stored of your account under other keys, while it is in use')
    .option('--installation', "the root key and the installation's own stores instead (owner only)")
    .action(async ({ installation }: { installation?: true }) => {
      const server = connect(context, rotate);
      if (installation === true) {
        const path = '/api/v1/installation/key-rotations';
        const value = await server.sendSlow<InstallationKeysRotated>('POST', path);
        print(context, rotate, { value, lines: ofInstallation(value) });
      } else {
        const value = await server.sendSlow<AccountKeysRotated>('POST', '/api/v1/key-rotations');
        print(context, rotate, { value, lines: ofAccount(value) });
      }
    });
}

function ofInstallation({
  rootGeneration,
  wraps,
  stores,
  backup,
  receipt,
}: InstallationKeysRotated): string[] {
  return [
    `Root key ${rootGeneration} is in force: ${wraps} keys wrapped anew, ${stores} stores encrypted anew.`,
    backup === null
      ? 'This installation makes no backups.'
      : `Generation ${backup} of the backups was made; earlier ones cannot be restored any more.`,
    'Copy the root key to where you keep it: what you have there opens nothing now.',
    `Receipt: ${receipt}`,
  ];
}

function ofAccount({
  wraps,
  databases,
  conversations,
  knowledge,
  code,
  receipt,
}: AccountKeysRotated): string[] {
  const files = [
    `${databases} databases`,
    ...(conversations ? ['the conversations'] : []),
    `${knowledge} knowledge files of assistants`,
    `${code} files of code`,
  ].join(', ');
  return [
    `${wraps} keys wrapped anew; encrypted anew: ${files}.`,
    'Backups bring back conversations, knowledge and code from the next one on.',
    `Receipt: ${receipt}`,
  ];
}
