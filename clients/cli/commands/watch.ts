import type { Command } from 'commander';
import type { Calls, ConsoleLine } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { CliError } from '../failure.ts';

/** What functions do: logs (live, kept nowhere) and calls (all that is kept). */
export function addWatchCommands(program: Command, context: Context): void {
  const logs = withJson(program.command('logs'))
    .description('follow the live output of your own calls; nothing is kept or replayed')
    .argument('<name>', 'shortname')
    .action(async (name: string) => {
      const api = connect(context, logs);
      const asJson = logs.opts<{ json?: boolean }>().json === true;
      const path = `/api/v1/functions/${encodeURIComponent(name)}/console`;
      const onOpen = (): void => context.terminal.note(`Following ${name}; Ctrl-C ends it.`);
      for await (const line of api.events<ConsoleLine>(path, { onOpen })) {
        if (asJson) context.terminal.out(JSON.stringify(line));
        else if (line.stream === 'stderr') context.terminal.note(line.text);
        else context.terminal.out(line.text);
      }
      throw new CliError('The server ended the stream. Run the command again to follow on.');
    });

  const calls = withJson(program.command('calls'))
    .description('list your call records: everything that is kept of a call')
    .option('--days <number>', 'so many days up to the newest')
    .option('--day <date>', 'the newest day, YYYY-MM-DD in UTC; today if absent')
    .option('--function <name>', 'only this function')
    .action(async (options: { days?: string; day?: string; function?: string }) => {
      const query = new URLSearchParams(Object.entries(options).filter(([name]) => name !== 'json'));
      const value = await connect(context, calls).get<Calls>(`/api/v1/calls?${query.toString()}`);
      const rows = value.calls.map((call) => [
        call.day,
        call.shortname ?? (call.kind === undefined ? call.functionId : `(${call.kind})`),
        String(call.version),
        call.originIp,
        String(call.durationMs),
        call.ok ? 'ok' : 'failed',
      ]);
      const heading = ['DAY', 'FUNCTION', 'VERSION', 'FROM', 'MS', 'RESULT'];
      const lines = table(heading, rows, 'There are no calls in this time.');
      if (value.truncated) lines.push('There are more. Ask for fewer days or one function.');
      print(context, calls, { value, lines });
    });
}
