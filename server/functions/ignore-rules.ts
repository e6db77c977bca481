import { setImmediate } from 'node:timers/promises';
import ignore, { type Ignore } from 'ignore';
import type { SourceTree } from '../kernel/source-tree.ts';
import { archiveError } from './archive-entry.ts';
import { IGNORE_LIMITS } from './limits.ts';

/** The public command line loses the dot of a top-level file when it zips the current folder. */
const IGNORE_FILES = ['.jellyfaasignore', 'jellyfaasignore'];
const NEVER_IGNORED: ReadonlySet<string> = new Set(['jellyspec.json', 'README.md', 'CHANGELOG.md']);

/** Drops what `.jellyfaasignore` (gitignore syntax) excludes, and that file itself. */
export async function applyIgnoreRules(tree: SourceTree): Promise<SourceTree> {
  const text = IGNORE_FILES.map((name) => tree.get(name)).find((file) => file !== undefined);
  if (text === undefined) return tree;
  const rules = compileRules(text.bytes);
  const deadline = AbortSignal.timeout(IGNORE_LIMITS.deadlineMs);
  const kept = new Map<string, typeof text>();
  for (const [path, file] of tree) {
    // Patterns are the uploader's and may be slow, so other work gets its turn after each name.
    await setImmediate();
    if (deadline.aborted) throw tooCostly('takes too long to apply');
    if (IGNORE_FILES.includes(path)) continue;
    if (NEVER_IGNORED.has(path) || !rules.ignores(path)) kept.set(path, file);
  }
  return kept;
}

function compileRules(bytes: Uint8Array): Ignore {
  if (bytes.byteLength > IGNORE_LIMITS.fileBytesMax) throw tooCostly('is too large');
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const patterns = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (patterns.length > IGNORE_LIMITS.patternsMax) {
    throw tooCostly(`has more than ${IGNORE_LIMITS.patternsMax} patterns`);
  }
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('#') && isCostly(line))
      throw tooCostly(`has too many wildcards in line ${index + 1}`);
  }
  try {
    return ignore().add(patterns);
  } catch (error) {
    throw archiveError(
      'ignore_invalid',
      '.jellyfaasignore has a pattern that cannot be read. Correct it.',
      error,
    );
  }
}

function isCostly(pattern: string): boolean {
  const wildcards = (text: string) => text.match(/\*+/g)?.length ?? 0;
  return (
    pattern.length > IGNORE_LIMITS.patternLengthMax ||
    wildcards(pattern) > IGNORE_LIMITS.wildcardsPerPatternMax ||
    pattern.split('/').some((segment) => wildcards(segment) > IGNORE_LIMITS.wildcardsPerSegmentMax)
  );
}

function tooCostly(what: string) {
  return archiveError(
    'ignore_too_costly',
    `.jellyfaasignore ${what}. Make it simpler: exclude whole folders.`,
  );
}
