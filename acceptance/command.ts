import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../clients/cli/jellyfaas.mjs', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  /** Standard output as it came. */
  readonly bytes: Buffer;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
  /** The Node that starts the command; the one of the tests unless given. */
  readonly node?: string;
}

/** The real `jellyfaas` command as somebody uses it who has a home of his own and nothing else. */
export interface Command {
  /** Home and working directory. */
  readonly home: string;
  run(words: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs to success and parses what `--json` printed. */
  json<T = Record<string, unknown>>(words: readonly string[]): Promise<T>;
  /** Starts a command that goes on until it is killed. */
  start(words: readonly string[]): ChildProcess;
  /** Everything that any run printed, for the search for secrets. */
  printed(): string;
  remove(): void;
}

export function newCommand(): Command {
  const home = mkdtempSync(join(tmpdir(), 'jellyfaas-command-'));
  let printed = '';

  const start = (words: readonly string[], { env, node = process.execPath }: RunOptions = {}): ChildProcess =>
    spawn(node, [script, ...words], {
      cwd: home,
      env: { PATH: process.env['PATH'], HOME: home, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });

  const command: Command = {
    home,
    async run(words, options = {}) {
      const child = start(words, options);
      if (child.stdin === null || child.stdout === null || child.stderr === null) throw new Error('no pipes');
      child.stdin.on('error', () => undefined);
      child.stdin.end(options.input ?? '');
      const [bytes, errors] = await Promise.all([
        buffer(child.stdout),
        buffer(child.stderr),
        once(child, 'close'),
      ]);
      const ran = { code: child.exitCode, out: String(bytes), bytes, err: String(errors) };
      printed += ran.out + ran.err;
      return ran;
    },
    async json<T>(words: readonly string[]): Promise<T> {
      const { code, out, err } = await command.run([...words, '--json']);
      if (code !== 0) throw new Error(`${words.join(' ')} exited ${code}: ${err}`);
      return JSON.parse(out) as T;
    },
    start,
    printed: () => printed,
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
  return command;
}
