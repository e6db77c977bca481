import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Source {
  readonly path: string;
  readonly text: string;
}

/** What runs of the platform, without its tests: what is built, installed or kept elsewhere is not listed by git. */
export function readSources(): Source[] {
  return projectFiles()
    .filter((path) => /^(server|guest|web)\/.*\.(ts|tsx|mjs|cjs)$/.test(path) && !isTest(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export function projectFiles(): string[] {
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => path !== '');
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$|\.d\.ts$|\/(testing|fixtures)\/|\/testing\.ts$/.test(path);
}

export interface Imported {
  readonly from: string;
  /** `*` for a whole module. */
  readonly names: readonly string[];
}

/** What a source imports to run it; imports of types are none. */
export function importsOf({ text }: Source): Imported[] {
  const found: Imported[] = [];
  for (const [, typeOnly, clause = '', from = ''] of text.matchAll(STATIC)) {
    if (typeOnly === undefined) found.push({ from, names: namesOf(clause) });
  }
  for (const [, from = ''] of text.matchAll(DYNAMIC)) found.push({ from, names: ['*'] });
  return found;
}

const STATIC = /^(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'/gm;
const DYNAMIC = /(?:\brequire|\bimport|getBuiltinModule)\(\s*['"]([^'"]+)['"]\s*\)/g;

function namesOf(clause: string): string[] {
  const listed = (/\{([^}]*)\}/.exec(clause)?.[1] ?? '')
    .split(',')
    .map((name) => name.trim().split(' as ')[0] ?? '')
    .filter((name) => name !== '' && !name.startsWith('type '));
  return /^\s*(\*|\w)/.test(clause) || clause.trim() === '' ? ['*', ...listed] : listed;
}
