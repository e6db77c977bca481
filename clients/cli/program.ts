import { Command, CommanderError } from 'commander';
import { addAccountCommands } from './commands/account.ts';
import { addAimeeCommands } from './commands/aimee.ts';
import { addAskCommand } from './commands/ask.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addBuildCommands } from './commands/build.ts';
import { addCreateCommand } from './commands/create.ts';
import { addInvokeCommand } from './commands/invoke.ts';
import { addLibraryCommands } from './commands/library.ts';
import { addLocalCommands } from './commands/local.ts';
import { addMcpCommands } from './commands/mcp.ts';
import { addModelCommands } from './commands/model.ts';
import { addPortalCommand } from './commands/portal.ts';
import { addPrivacyCommands } from './commands/privacy.ts';
import { addProxyCommand } from './commands/proxy.ts';
import { addRightsCommands } from './commands/rights.ts';
import { addRotateKeysCommand } from './commands/rotate-keys.ts';
import { addSqlCommands } from './commands/sql.ts';
import { addTypesCommand } from './commands/types.ts';
import { addUserCommands } from './commands/users.ts';
import { addVectorCommands } from './commands/vectors.ts';
import { addWatchCommands } from './commands/watch.ts';
import type { Context } from './context.ts';
import { CliError } from './failure.ts';
import { DEFAULT_URL } from './settings.ts';

/** Runs one command line (without node and script). Returns the exit code: 0 fine, 1 failure, 2 wrong usage. */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  const program = buildProgram(context);
  // Not an option of the program: `invoke` and `delete` have a --version of their own.
  const words = argv.length === 1 && argv[0] === '--version' ? ['version'] : [...argv];
  let machine = false;
  program.hook(
    'preAction',
    (_, command) => void (machine = command.opts<{ json?: unknown }>().json === true),
  );
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, context, machine);
  }
}

export function buildProgram(context: Context): Command {
  const { terminal } = context;
  const program = new Command('jellyfaas')
    .description('Write, deploy and call functions on your own JellyFaaS server.')
    .option('--url <url>', `the server (or JELLYFAAS_URL, or the saved login; else ${DEFAULT_URL})`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .showHelpAfterError('Add --help to see how it is used.');
  addCreateCommand(program, context);
  addBuildCommands(program, context);
  addInvokeCommand(program, context);
  addAskCommand(program, context);
  addModelCommands(program, context);
  addMcpCommands(program, context);
  addVectorCommands(program, context);
  addProxyCommand(program, context);
  addSqlCommands(program, context);
  addAimeeCommands(program, context);
  addTypesCommand(program, context);
  addWatchCommands(program, context);
  addLibraryCommands(program, context);
  addAccountCommands(program, context);
  addPortalCommand(program, context);
  addPrivacyCommands(program, context);
  addUserCommands(program, context);
  addRightsCommands(program, context);
  addBackupCommands(program, context);
  addRotateKeysCommand(program, context);
  addLocalCommands(program, context);
  return program;
}

function report(error: unknown, { terminal }: Context, machine: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help that was asked for is no fault.
    return error.exitCode === 0 ? 0 : 2;
  }
  const { message, code, exitCode } =
    error instanceof CliError ? error : new CliError(unexpected(error), { code: 'cli.internal' });
  terminal.note(machine ? JSON.stringify({ error: { code, message } }) : `Error: ${message}`);
  return exitCode;
}

function unexpected(error: unknown): string {
  return error instanceof Error ? error.message : 'Something unexpected happened.';
}
