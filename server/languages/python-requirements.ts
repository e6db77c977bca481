import { posix } from 'node:path';
import type { SourceFile, SourceTree } from '../kernel/source-tree.ts';
import { textFile } from '../kernel/source-tree.ts';
import { BuildFailure } from './language.ts';

export const FRAMEWORK_REQUIREMENT = 'functions-framework==3.*';

const ROOT = 'requirements.txt';
const FILES_MAX = 50;

/** What the dependency step is given: requirement files only, so that a layer can hold nothing of the code. */
export interface PythonDependencies {
  readonly files: SourceTree;
  /** Arguments of each run of `pip install`. */
  readonly pipRuns: readonly (readonly string[])[];
  /** Nothing but the platform's own framework: the same for every account. */
  readonly isBase: boolean;
}

export function pythonDependencies(source: SourceTree): PythonDependencies {
  const files = requirementFiles(source);
  const lines = [...files.values()].flatMap((file) => requirementLines(file));
  const packages = lines.filter((line) => !line.startsWith('-'));
  if (lines.length === packages.length && packages.every((line) => line === FRAMEWORK_REQUIREMENT)) {
    return basePython();
  }
  const hasFramework = packages.some((line) => /^functions[-_.]+framework(?![\w-])/i.test(line));
  const locked = lines.some((line) => line.includes('--hash='));
  return { files, pipRuns: pipRuns(hasFramework, locked), isBase: false };
}

/** No requirements of anyone's: the framework alone. */
export function basePython(): PythonDependencies {
  return {
    files: new Map([[ROOT, textFile(`${FRAMEWORK_REQUIREMENT}\n`)]]),
    pipRuns: pipRuns(true, false),
    isBase: true,
  };
}

function pipRuns(hasFramework: boolean, locked: boolean): readonly (readonly string[])[] {
  const own = ['--requirement', ROOT];
  // A lock with hashes admits nothing without one: the framework then comes in a run of its own.
  if (locked) return [[...own, '--require-hashes'], ...(hasFramework ? [] : [[FRAMEWORK_REQUIREMENT]])];
  return [hasFramework ? own : [...own, FRAMEWORK_REQUIREMENT]];
}

/** requirements.txt and the files that it includes with `-r` or `-c`. */
function requirementFiles(source: SourceTree): Map<string, SourceFile> {
  const found = new Map<string, SourceFile>();
  const pending = source.has(ROOT) ? [ROOT] : [];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const file = source.get(path);
    if (file === undefined)
      throw new BuildFailure(`${path} is included in the requirements, but not uploaded.`);
    if (found.has(path)) continue;
    found.set(path, file);
    if (found.size > FILES_MAX) throw new BuildFailure(`There are more than ${FILES_MAX} requirement files.`);
    for (const line of requirementLines(file)) {
      const included = /^(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)/.exec(line)?.[1];
      if (included !== undefined) pending.push(posix.normalize(posix.join(posix.dirname(path), included)));
    }
  }
  return found;
}

/** Logical lines without comments. */
function requirementLines(file: SourceFile): string[] {
  return Buffer.from(file.bytes)
    .toString('utf8')
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}
