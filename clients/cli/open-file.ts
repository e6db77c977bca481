import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Context } from './context.ts';
import { isSystemError, usageError } from './failure.ts';

/** A file that is there to be read, or stdin for `-`. */
export async function openFile({ terminal, cwd }: Context, file: string): Promise<Readable> {
  if (file === '-') return terminal.input();
  const stream = createReadStream(resolve(cwd, file));
  try {
    await new Promise((done, failed) => stream.once('open', done).once('error', failed));
    return stream;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EACCES'))
      throw usageError(`The file ${file} cannot be read.`);
    throw error;
  }
}
