import type { VectorDatabase } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../failure.ts';
import { sealingClient } from '../function-call.ts';
import type { Settings } from '../settings.ts';

export function databasePath(name: string, rest = ''): string {
  return `/api/v1/vectors/${encodeURIComponent(name)}${rest}`;
}

export function sealedVectors(
  settings: Settings,
  name: string,
  installationKey: string | undefined,
): VectorDatabase {
  return sealingClient(settings, installationKey).vectors(name, { sealed: true });
}

/** Words of the command line, or of stdin, where no other user of the machine can see them. */
export async function questionOf({ terminal }: Context, word: string): Promise<string> {
  return word === '-' ? (await terminal.readInput()).toString('utf8') : word;
}

export function filterOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw usageError('The filter is no JSON. An example: --filter \'{"year":2026}\'.');
  }
}
