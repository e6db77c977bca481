import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The house's own rules, read from the sources. The table of allowed imports is the architecture: a new arrow
 * is a decision and is written here first.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '');

/** Folder → folders it may import from (itself always). `*:types` means type imports only. */
const ALLOWED: Record<string, readonly string[]> = {
  contract: [],
  'server/kernel': [],
  'server/keys': ['server/kernel', 'server/accounts:types', 'server/rights:types'],
  'server/sandbox': ['server/kernel'],
  'server/databases': ['server/kernel', 'server/keys', 'server/accounts:types', 'server/rights:types'],
  'server/backups': [
    'server/kernel',
    'server/keys',
    'server/stores',
    'server/engines',
    'server/accounts:types',
    'server/sandbox:types',
    'server/rights:types',
  ],
  'server/accounts': [
    'server/kernel',
    'server/keys',
    'server/models:types',
    'server/profile:types',
    'server/rights:types',
  ],
  'server/profile': ['server/kernel'],
  'server/rights': ['server/kernel', 'server/keys', 'server/sandbox', 'server/accounts:types'],
  'server/privacy-statement': [],
  'server/privacy': ['server/kernel:types', 'server/privacy-statement', 'contract:types'],
  'server/sign-in': ['server/kernel', 'server/accounts:types', 'server/sandbox'],
  'server/languages': ['server/kernel', 'server/sandbox:types', 'server/rights:types'],
  'server/calls': [
    'server/kernel',
    'server/sandbox:types',
    'server/languages:types',
    'server/accounts:types',
    'server/rights:types',
  ],
  'server/functions': [
    'server/kernel',
    'server/keys',
    'server/languages',
    'server/calls:types',
    'server/accounts:types',
    'contract',
    'server/rights:types',
  ],
  'server/ai': [
    'server/kernel',
    'server/functions',
    'server/calls',
    'server/accounts:types',
    'server/models:types',
  ],
  'server/documents': ['server/kernel', 'server/sandbox:types'],
  'server/engines': ['server/kernel', 'server/sandbox:types'],
  'server/tool-sources': [
    'server/kernel',
    'server/keys',
    'server/functions',
    'server/ai',
    'server/sandbox',
    'server/accounts:types',
    'server/models:types',
    'server/rights:types',
  ],
  'server/models': ['server/kernel', 'server/engines', 'server/sandbox:types', 'server/functions:types'],
  'server/embeddings': ['server/kernel', 'server/engines', 'server/models', 'server/sandbox:types'],
  // Before its parent: the first that fits is the folder of a file.
  'server/vectors/engine': [
    'clients/sdk',
    'server/kernel',
    'server/engines',
    'server/stores',
    'server/databases:types',
  ],
  'server/vectors': [
    'server/kernel',
    'server/vectors/engine',
    'server/calls',
    'server/ai',
    'server/accounts:types',
    'server/databases:types',
    'server/documents:types',
    'server/embeddings:types',
    'server/models:types',
    'server/rights:types',
  ],
  'server/aimee': [
    'server/kernel',
    'server/keys',
    'server/ai',
    'server/calls',
    'server/sandbox',
    'server/vectors',
    'server/vectors/engine:types',
    'server/accounts:types',
    'server/documents:types',
    'server/databases:types',
    'server/embeddings:types',
    'server/models:types',
    'server/profile:types',
    'server/rights',
    'contract',
  ],
  'server/sql': [
    'server/kernel',
    'server/ai',
    'server/calls',
    'server/engines',
    'server/accounts:types',
    'server/databases:types',
    'server/models:types',
    'server/sandbox',
    'server/rights:types',
  ],
  // In the jail: the client's sealing, and what crosses the gateway in a plain call.
  'guest/sealed': ['clients/sdk', 'server/gateway'],
  'server/desk': [
    'server/kernel',
    'server/calls',
    'server/models',
    'clients/sdk',
    'server/documents',
    'server/embeddings',
    'server/accounts:types',
    'server/databases:types',
    'server/engines:types',
    'server/functions:types',
    'server/languages:types',
    'server/sandbox:types',
  ],
  // In the jail, what answers the same requests in the clear, and the client's sealing.
  'guest/desk': [
    'clients/sdk',
    'server/ai',
    'server/databases:types',
    'server/desk',
    'server/documents',
    'server/embeddings',
    'server/vectors',
    'server/vectors/engine',
    'server/gateway',
    'server/kernel',
    'server/models',
    'server/accounts:types',
    'server/calls:types',
    'server/sandbox:types',
  ],
  'server/stores': [
    'server/kernel',
    'server/keys',
    'server/accounts:types',
    'server/functions:types',
    'server/calls:types',
    'server/languages:types',
    'server/models:types',
    'server/databases',
    'server/tool-sources:types',
    'server/vectors/engine:types',
    'server/aimee:types',
    'server/backups:types',
    'server/profile:types',
    'server/rights:types',
  ],
  'server/gateway': [
    'server/kernel',
    'server/desk',
    'server/embeddings:types',
    'server/vectors/engine:types',
    'server/accounts',
    'server/functions',
    'server/calls',
    'server/languages:types',
    'server/keys:types',
    'server/databases:types',
    'server/sql:types',
    'server/vectors:types',
    'server/ai:types',
    'server/models:types',
    'server/tool-sources:types',
    'server/aimee:types',
    'server/backups:types',
    'server/sign-in',
    'server/profile:types',
    'server/rights:types',
    'server/privacy-statement:types',
    'server/privacy:types',
    'contract',
  ],
  'web/widget': ['contract'],
  'privacy/harness': [],
  'clients/cli': ['contract', 'clients/sdk', 'privacy/harness'],
  'clients/sdk': [],
  'web/portal': ['contract:types', 'clients/sdk'],
  testkit: [],
};

const COMPOSITION = new Set(['server/compose.ts', 'server/main.ts', 'server/config.ts']);

function folderOf(path: string): string | undefined {
  return Object.keys(ALLOWED).find((folder) => path.startsWith(`${folder}/`));
}

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(path: string): Import[] {
  const source = readFileSync(join(root, path), 'utf8');
  const found: Import[] = [];
  for (const match of source.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\s+from\s+)?'([^']+)'/gm)) {
    found.push({ target: match[2] ?? '', typeOnly: match[1] !== undefined });
  }
  return found;
}

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

function manifestOf(workspace: string): Manifest {
  return JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8')) as Manifest;
}

/** Names of the packages that a source imports, `@scope/name` or `name`. */
function packagesOf(path: string): string[] {
  return importsOf(path)
    .map(({ target }) => target)
    .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
    .map((target) =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

function isTest(path: string): boolean {
  return (
    path.endsWith('.test.ts') ||
    path.endsWith('/testing.ts') ||
    path.startsWith('testkit/') ||
    path.includes('/testing/') ||
    path.includes('/examples/') ||
    path.includes('/fixtures/')
  );
}

const sources = tracked.filter(
  (path) =>
    path.endsWith('.ts') &&
    !path.startsWith('templates/') &&
    (!path.startsWith('guest/') || /^guest\/(?:desk|sealed)\//.test(path)),
);

describe('the house', () => {
  it('imports only along the arrows that the table allows', () => {
    const wrong: string[] = [];
    for (const path of sources.filter((p) => !isTest(p) && !COMPOSITION.has(p))) {
      const from = folderOf(path);
      if (from === undefined) continue;
      for (const { target, typeOnly } of importsOf(path)) {
        const local = target.startsWith('.')
          ? normalize(join(dirname(path), target))
          : target.replace('@jellyfaas/contract', 'contract/index.ts');
        const to = folderOf(local);
        if (to === undefined || to === from) continue;
        const allowed = ALLOWED[from] ?? [];
        if (allowed.includes(to) || (typeOnly && allowed.includes(`${to}:types`))) continue;
        wrong.push(`${path} → ${relative('.', local)}${typeOnly ? ' (types)' : ''}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('imports only packages that the importing workspace declares', () => {
    const development = manifestOf('.').devDependencies ?? {};
    const wrong = ['contract', 'server', 'clients/cli', 'clients/sdk', 'testkit'].flatMap((workspace) => {
      const declared = manifestOf(workspace).dependencies ?? {};
      return sources
        .filter((path) => path.startsWith(`${workspace}/`))
        .flatMap((path) =>
          packagesOf(path)
            .filter(
              (name) =>
                !(
                  name in declared ||
                  (isTest(path) && (name in development || name.startsWith('@jellyfaas/')))
                ),
            )
            .map((name) => `${path}: ${name}`),
        );
    });
    expect(wrong).toEqual([]);
  });

  it('has no source file that nothing uses', () => {
    const entries = new Set([
      'server/main.ts',
      'clients/cli/main.ts',
      'guest/desk/main.ts',
      'guest/sealed/agent.ts',
      'clients/sdk/src/index.ts',
      'clients/sdk/src/sealed/index.ts',
      'bench/main.ts',
      'web/widget/src/loader/main.ts',
      'web/widget/src/frame/main.ts',
      'vitest.config.ts',
      'contract/index.ts',
      'testkit/index.ts',
      'web/portal/vite.config.ts',
    ]);
    const used = new Set<string>();
    for (const path of tracked.filter((p) => sources.includes(p) || p.endsWith('.tsx'))) {
      const text = readFileSync(join(root, path), 'utf8');
      for (const match of text.matchAll(/'(\.[^']*\.ts)'/g))
        used.add(normalize(join(dirname(path), match[1] ?? '')));
    }
    const mentioned = ['package.json', 'vitest.config.ts', 'CONTRIBUTING.md', 'README.md']
      .map((p) => readFileSync(join(root, p), 'utf8'))
      .join('\n');
    const dead = sources.filter(
      (p) => !entries.has(p) && !p.endsWith('.d.ts') && !isTest(p) && !used.has(p) && !mentioned.includes(p),
    );
    expect(dead).toEqual([]);
  });

  it('leaves no marker of unfinished work', () => {
    const marker = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
    const marked = tracked.filter(
      (p) => /\.(ts|mjs|cjs|js|py|go|java|md)$/.test(p) && marker.test(readFileSync(join(root, p), 'utf8')),
    );
    expect(marked).toEqual([]);
  });

  it('gives a reason with every lint exception', () => {
    const bare = sources.filter(
      (p) =>
        /(?:oxlint|eslint)-disable[^\n]*$/m.test(readFileSync(join(root, p), 'utf8')) &&
        [...readFileSync(join(root, p), 'utf8').matchAll(/(?:oxlint|eslint)-disable[^\n]*/g)].some(
          ([line]) => !line.includes(' -- '),
        ),
    );
    expect(bare).toEqual([]);
  });

  it('names only files that exist in its documents', () => {
    const broken: string[] = [];
    for (const path of tracked.filter((p) => p.endsWith('.md') && !p.startsWith('templates/'))) {
      const text = readFileSync(join(root, path), 'utf8');
      for (const match of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
        const target = normalize(join(dirname(path), match[1] ?? ''));
        if (!tracked.some((p) => p === target || p.startsWith(`${target.replace(/\/$/, '')}/`)))
          broken.push(`${path}: ${match[1]}`);
      }
    }
    expect(broken).toEqual([]);
  });
});
