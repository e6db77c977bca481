import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Context } from './context.ts';
import { CliError, isSystemError, usageError } from './failure.ts';

/** Writes an answer as it comes: into a new file that only its owner can read, or to stdout. */
export async function saveAnswer(
  { terminal, cwd }: Context,
  answer: IncomingMessage,
  output: string | undefined,
): Promise<void> {
  try {
    if (output === undefined) for await (const chunk of answer) await terminal.stream(chunk as Buffer);
    else await pipeline(answer, createWriteStream(resolve(cwd, output), { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    if (isSystemError(error, 'EEXIST'))
      throw usageError(`${output ?? ''} is there already; nothing was written.`);
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EISDIR'))
      throw usageError(`${output ?? ''} cannot be written.`);
    throw new CliError('The export broke off and is not complete. Try again.', { code: 'cli.export_cut' });
  }
}
