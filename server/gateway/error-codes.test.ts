import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * docs/reference/errors.md against the sources: whoever meets a code finds its cause and remedy there. Codes are
 * found as text, in the three ways in which the sources write them.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = globSync(['server/**/*.ts', 'guest/{desk,sealed}/*.ts'], { cwd: root })
  .filter((path) => !/\.test\.ts$|testing/.test(path))
  .map((path) => readFileSync(join(root, path), 'utf8'));

function codesInSources(): Set<string> {
  const all = sources.join('\n');
  const codes = new Set<string>();
  for (const [, code] of all.matchAll(/(?:code|errorId): '([a-z_]+\.[a-z0-9_]+)'/g)) codes.add(code ?? '');
  for (const [, what] of all.matchAll(/notFound\('([^']+)'\)/g)) {
    codes.add(`${(what ?? '').toLowerCase().replaceAll(' ', '_')}.not_found`);
  }
  // Helpers that build the code's end from their first argument: archiveError('encrypted', …).
  const helpers = all.matchAll(/function (\w+)\(what: [^{]*?\{\n[^}]*?code: `([a-z_.]+)\$\{what\}`/g);
  for (const [, name, prefix] of helpers) {
    for (const [, what] of all.matchAll(new RegExp(`(?<!function )\\b${name}\\(\\s*'([a-z_]+)'`, 'g'))) {
      codes.add(`${prefix}${what}`);
    }
  }
  return codes;
}

const documented = [
  ...readFileSync(join(root, 'docs/reference/errors.md'), 'utf8').matchAll(
    /^\| `([^`]+)` \|([^|\n]*)\|([^|\n]*)\|$/gm,
  ),
].map(([, code, cause, remedy]) => ({
  code: code ?? '',
  cause: cause?.trim() ?? '',
  remedy: remedy?.trim() ?? '',
}));

describe('docs/reference/errors.md', () => {
  it('has a row for every error code, and none for codes that no longer exist', () => {
    const inSources = [...codesInSources()].toSorted((a, b) => a.localeCompare(b));
    const inDocs = documented.map(({ code }) => code).toSorted((a, b) => a.localeCompare(b));
    expect(inDocs).toEqual(inSources);
  });

  it('states a cause and a remedy in each row', () => {
    for (const { code, cause, remedy } of documented) {
      expect(cause.length, `cause of ${code}`).toBeGreaterThan(10);
      expect(remedy.length, `remedy of ${code}`).toBeGreaterThan(5);
    }
  });
});
