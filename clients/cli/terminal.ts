import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CliError } from './failure.ts';

export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

/** Text in, text out. Results go to stdout, everything else to stderr, so that output can be piped. */
export interface Terminal {
  /** Somebody is watching: spinners and questions make sense. */
  readonly interactive: boolean;
  out(line: string): void;
  note(line: string): void;
  /** Bytes as they are, at the pace of the reader. */
  stream(chunk: Uint8Array): Promise<void>;
  /** Replaces the current line of an interactive stderr; empty to clear it. */
  status(text: string): void;
  /** Asks without echo; from a pipe, takes its first line. */
  askSecret(question: string): Promise<string>;
  confirm(question: string): Promise<boolean>;
  readInput(): Promise<Buffer>;
  input(): Readable;
  /** Lines as they are typed, or of a pipe, until the end; what was typed is remembered in memory alone. */
  lines(prompt: () => string): AsyncIterable<string>;
}

/** Text from servers and functions must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, '');
}

const BAR_LENGTH = 30;

/** For a share of 0 to 1, or more by mistake. */
export function progressBar(share: number): string {
  const filled = Math.round(Math.min(1, share) * BAR_LENGTH);
  return '█'.repeat(filled).padEnd(BAR_LENGTH, '░');
}

export function createTerminal({ stdin, stdout, stderr }: Streams): Terminal {
  const interactive = stdin.isTTY === true && stderr.isTTY === true;
  let statusShown = false;

  const clearStatus = () => {
    if (statusShown) stderr.write('\r\u001b[K');
    statusShown = false;
  };
  const ask = async (question: string, hidden: boolean): Promise<string> => {
    stderr.write(question);
    const answer = await (hidden ? readHidden(stdin) : readLine(stdin));
    if (hidden) stderr.write('\n');
    return answer;
  };

  return {
    interactive,
    out(line) {
      clearStatus();
      stdout.write(`${printable(line)}\n`);
    },
    note(line) {
      clearStatus();
      stderr.write(`${printable(line)}\n`);
    },
    async stream(chunk) {
      if (!stdout.write(chunk)) await once(stdout, 'drain');
    },
    status(text) {
      if (stderr.isTTY !== true) return;
      clearStatus();
      statusShown = text !== '';
      stderr.write(printable(text).slice(0, 100));
    },
    askSecret: async (question) => {
      if (interactive) return ask(question, true);
      return (await buffer(stdin)).toString('utf8').split(/\r?\n/, 1)[0]?.trim() ?? '';
    },
    confirm: async (question) => interactive && /^y(es)?$/i.test(await ask(`${question} [y/N] `, false)),
    readInput: () => buffer(stdin),
    input: () => stdin,
    async *lines(prompt) {
      const reader = createInterface({
        input: stdin,
        terminal: interactive,
        ...(interactive && { output: stderr }),
      });
      const ask = (): void => {
        reader.setPrompt(prompt());
        if (interactive) reader.prompt();
      };
      ask();
      for await (const line of reader) {
        yield line;
        ask();
      }
    },
  };
}

async function readLine(stdin: Readable): Promise<string> {
  let line = '';
  for await (const chunk of stdin) {
    line += String(chunk);
    if (line.includes('\n')) break;
  }
  return line.split('\n', 1)[0]?.trim() ?? '';
}

const CTRL_C = '\u0003';
const END = /[\r\n]/;
const BACKSPACE = /[\b\u007f]/;

/** Reads keys one by one with the terminal's echo switched off. */
async function readHidden(stdin: Streams['stdin']): Promise<string> {
  stdin.setRawMode?.(true);
  let typed = '';
  try {
    for await (const chunk of stdin) {
      const keys = String(chunk);
      if (keys.includes(CTRL_C)) throw new CliError('Cancelled.');
      const [line = ''] = keys.split(END, 1);
      for (const key of line) typed = BACKSPACE.test(key) ? typed.slice(0, -1) : typed + printable(key);
      if (END.test(keys)) break;
    }
    return typed.trim();
  } finally {
    stdin.setRawMode?.(false);
  }
}
