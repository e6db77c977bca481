import { globSync, statSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { usageError } from './failure.ts';

export interface DocumentFile {
  readonly path: string;
  /** What the server is told; it tells documents apart and is kept there as a keyed hash alone. */
  readonly name: string;
}

/** The files that words and patterns mean, each once; `byPath` names them by their path below `cwd`. */
export function documentFiles(
  words: readonly string[],
  { cwd, byPath }: { readonly cwd: string; readonly byPath: boolean },
): DocumentFile[] {
  const paths = [...new Set(words.flatMap((word) => pathsOf(word, cwd)))];
  // A form's file name keeps no slashes.
  const named = paths.map((path) => ({
    path,
    name: byPath ? relative(cwd, path).replaceAll(/[/\\]/g, ':') : basename(path),
  }));
  const twins = named.find(({ name }, at) => named.findIndex((other) => other.name === name) !== at);
  if (twins !== undefined) {
    throw usageError(
      `Two of the files are called ${twins.name}, and the later would replace the former. Give --by-path to tell files apart by their paths.`,
    );
  }
  return named;
}

function pathsOf(word: string, cwd: string): string[] {
  const path = resolve(cwd, word);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return [path];
  if (found !== undefined) {
    throw usageError(`${word} is a folder. Name its files by a pattern, for example '${word}/**/*.md'.`);
  }
  const matches = globSync(word, { cwd })
    .map((match) => resolve(cwd, match))
    .filter((match) => statSync(match).isFile());
  if (matches.length === 0) throw usageError(`There is no file ${word}.`);
  return matches.toSorted();
}
