import { posix } from 'node:path';
import { textFile, type SourceFile, type SourceTree } from '../kernel/source-tree.ts';
import type { TreeEntry } from './hostile-tree.ts';
import { BuildFailure } from './language.ts';

export const FRAMEWORK = '@google-cloud/functions-framework';
export const FRAMEWORK_VERSION = '5.0.5';

const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json'];
/** What decides which packages are installed; everything else of a manifest stays with the code. */
const DEPENDENCY_FIELDS = [
  'name',
  'version',
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'overrides',
  'workspaces',
] as const;

type Manifest = Readonly<Record<string, unknown>>;

/**
 * What the dependency step is given: manifests cut down to their dependency fields, and the lock file. Nothing
 * else of the code, so a layer can hold nothing else of it, and the same dependencies have the same input.
 */
export interface NodeDependencies {
  readonly files: SourceTree;
  readonly npmArguments: readonly string[];
  /** Nothing but the platform's own framework: the same for every account. */
  readonly isBase: boolean;
}

export function nodeDependencies(source: SourceTree): NodeDependencies {
  const files = new Map<string, SourceFile>();
  for (const [path, file] of source) {
    const isManifest = posix.basename(path) === 'package.json' && !isInstalled(path);
    if (isManifest && path !== 'package.json') files.set(path, reduced(readManifest(path, file)));
  }
  const root = source.get('package.json');
  const manifest = root === undefined ? {} : readManifest('package.json', root);
  const hasFramework = FRAMEWORK in dependenciesOf(manifest);
  const lockName = LOCK_FILES.find((name) => source.has(name));
  const lock = lockName === undefined ? undefined : source.get(lockName);
  if (isOnlyFramework(manifest) && lock === undefined) return baseDependencies();
  if (lockName !== undefined && lock !== undefined) files.set(lockName, lock);
  files.set('package.json', reduced(nameless(hasFramework ? manifest : withFramework(manifest))));
  return { files, npmArguments: npmArguments(lock !== undefined, hasFramework), isBase: false };
}

/** No dependencies of anyone's: the framework alone. */
export function baseDependencies(): NodeDependencies {
  const files = new Map([['package.json', reduced(withFramework({}))]]);
  return { files, npmArguments: npmArguments(false, true), isBase: true };
}

function npmArguments(hasLock: boolean, hasFramework: boolean): readonly string[] {
  if (!hasLock) return ['install', '--no-package-lock'];
  // `ci` takes the lock file as it is; `install` adds the framework that the lock does not know.
  return hasFramework ? ['ci'] : ['install', '--no-save'];
}

/** The code as it runs: packages come from the layer only, so that there is one framework and not two. */
export function withoutInstalled(source: SourceTree): SourceTree {
  return new Map([...source].filter(([path]) => !isInstalled(path)));
}

/**
 * Makes the installed tree a layer: npm's own note of the install goes, and links to packages that are part of
 * the code (`file:` dependencies, workspaces) lead to where the code will be. `project` is where npm ran.
 */
export function asLayer(entries: readonly TreeEntry[], project: string): TreeEntry[] {
  const top = `${project}/node_modules`;
  return entries
    .filter((entry) => entry.path !== '.package-lock.json')
    .map((entry) => {
      if (entry.kind !== 'link') return entry;
      const target = posix.resolve(top, posix.dirname(entry.path), entry.target);
      const isCode = target.startsWith(`${project}/`) && !target.startsWith(`${top}/`);
      return isCode ? { ...entry, target: `/app${target.slice(project.length)}` } : entry;
    });
}

function isInstalled(path: string): boolean {
  return path.split('/').includes('node_modules');
}

function readManifest(path: string, file: SourceFile): Manifest {
  try {
    const manifest: unknown = JSON.parse(Buffer.from(file.bytes).toString('utf8'));
    if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest))
      return manifest as Manifest;
  } catch (error) {
    throw new BuildFailure(`${path} is not JSON: ${(error as Error).message}`);
  }
  throw new BuildFailure(`${path} has to hold a JSON object.`);
}

function reduced(manifest: Manifest): SourceFile {
  const kept = DEPENDENCY_FIELDS.filter((field) => manifest[field] !== undefined);
  return textFile(JSON.stringify(Object.fromEntries(kept.map((field) => [field, manifest[field]]))));
}

function dependenciesOf(manifest: Manifest): Readonly<Record<string, unknown>> {
  const dependencies = manifest['dependencies'] ?? {};
  if (typeof dependencies === 'object' && !Array.isArray(dependencies)) return { ...dependencies };
  throw new BuildFailure('package.json: "dependencies" has to be an object.');
}

/** What the function is called has no influence on its packages. */
function nameless({ name: _name, version: _version, ...rest }: Manifest): Manifest {
  return rest;
}

function withFramework(manifest: Manifest): Manifest {
  return { ...manifest, dependencies: { ...dependenciesOf(manifest), [FRAMEWORK]: FRAMEWORK_VERSION } };
}

/** True for no dependencies at all, and for the framework alone in a range that the platform's version meets. */
function isOnlyFramework(manifest: Manifest): boolean {
  const others = DEPENDENCY_FIELDS.filter((field) => !['name', 'version', 'dependencies'].includes(field));
  if (others.some((field) => manifest[field] !== undefined)) return false;
  const { [FRAMEWORK]: range = FRAMEWORK_VERSION, ...rest } = dependenciesOf(manifest);
  return (
    Object.keys(rest).length === 0 && [FRAMEWORK_VERSION, `^${FRAMEWORK_VERSION}`].includes(String(range))
  );
}
