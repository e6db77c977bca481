import type { Command } from 'commander';
import { Api } from './api.ts';
import { loadSettings, type Settings, type SettingsSource } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** What commands work with; made once in main, by hand in tests. */
export interface Context {
  readonly terminal: Terminal;
  readonly env: SettingsSource['env'];
  readonly home: string;
  readonly cwd: string;
}

/** Settings under the `--url` flag, which every command takes. */
export function settingsOf(context: Context, command: Command): Settings {
  return loadSettings({ ...context, url: command.optsWithGlobals<{ url?: string }>().url });
}

export function connect(context: Context, command: Command): Api {
  return new Api(settingsOf(context, command));
}

/** Adds the machine-readable form that every command has. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON, for machines');
}

/** Prints a result: the value itself as JSON with `--json`, else the lines that describe it. */
export function print(
  context: Context,
  command: Command,
  result: { value: unknown; lines: readonly string[] },
): void {
  if (command.opts<{ json?: boolean }>().json === true)
    context.terminal.out(asciiControls(JSON.stringify(result.value, null, 2)));
  else for (const line of result.lines) context.terminal.out(line);
}

/** Asks before something that cannot be undone; a pipe is not asked. Says so when nothing is done. */
export async function confirmed(
  { terminal }: Context,
  yes: boolean | undefined,
  question: string,
): Promise<boolean> {
  const isSure = !terminal.interactive || yes === true || (await terminal.confirm(question));
  if (!isSure) terminal.note('Nothing was destroyed.');
  return isSure;
}

/** Characters that the terminal would drop, or that end a line, survive in JSON as escapes. */
export function asciiControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Rows as aligned columns under a heading; `empty` instead where there are none. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string[] {
  if (rows.length === 0) return [empty];
  // One row of the server must not look like two.
  const all = [heading, ...rows].map((row) => row.map((cell) => cell.replaceAll(/\s+/g, ' ')));
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
