import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import ignore from 'ignore';
import { ZipFile } from 'yazl';
import { CliError, isSystemError } from './failure.ts';

export const UPLOAD_BYTES_MAX = 50 * 1024 * 1024;

/** What the public command line leaves out too: dependencies are always installed by the server. */
const EXCLUDED: ReadonlySet<string> = new Set(
  '.git .gitignore .github .idea vendor node_modules .temp-repo .DS_Store __pycache__ .jellyfaas'.split(' '),
);
/** The same bytes for the same files, whenever and wherever they are zipped. */
const MODIFIED = new Date(0);

export interface PackedFunction {
  readonly shortname: string;
  readonly zip: Buffer;
  /** Paths in the archive, below the root folder. */
  readonly files: readonly string[];
  /** Symbolic links and the like, which an archive cannot carry. */
  readonly skipped: readonly string[];
}

/** Spaces and underscores go, as at deploy. */
export function normaliseShortname(name: string): string {
  return name.replace(/[\s_]/g, '');
}

/** Zips a function's folder as `<shortname>/…` without dependencies and what `.jellyfaasignore` excludes. */
export async function packFunction(folder: string): Promise<PackedFunction> {
  const shortname = readShortname(folder);
  const ignored = readIgnoreRules(folder);
  const files: string[] = [];
  const skipped: string[] = [];
  collect(folder, '', (path, kind) => {
    if (kind === 'folder') return !ignored.ignores(`${path}/`);
    if (path === `${shortname}.zip` || ignored.ignores(path)) return false;
    (kind === 'file' ? files : skipped).push(path);
    return false;
  });
  const zip = await zipFiles(folder, shortname, files);
  if (zip.length > UPLOAD_BYTES_MAX) {
    throw new CliError(
      `The archive has ${Math.ceil(zip.length / 1024 / 1024)} MiB; at most ${UPLOAD_BYTES_MAX / 1024 / 1024} can be ` +
        'uploaded. Exclude what the function does not need in .jellyfaasignore.',
    );
  }
  return { shortname, zip, files, skipped };
}

function readShortname(folder: string): string {
  const path = join(folder, 'jellyspec.json');
  const spec = parseSpec(readText(path), path);
  const shortname = normaliseShortname(typeof spec['shortname'] === 'string' ? spec['shortname'] : '');
  if (/^[a-z0-9-]+$/.test(shortname)) return shortname;
  throw new CliError(`${path} needs a shortname of 5 to 20 lower-case letters, digits and "-".`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new CliError(
      `There is no ${path}. Name the function's folder with -s, or make one with "jellyfaas create".`,
    );
  }
}

export function parseSpec(text: string, path: string): Record<string, unknown> {
  try {
    const spec: unknown = JSON.parse(text);
    if (typeof spec === 'object' && spec !== null) return spec as Record<string, unknown>;
  } catch {
    // The message below is the same for both.
  }
  throw new CliError(`${path} is not a JSON object. Check commas, quotes and brackets.`);
}

/** Spec, readme and changelog always go along: the server never ignores them either. */
function readIgnoreRules(folder: string) {
  let text = '';
  try {
    text = readFileSync(join(folder, '.jellyfaasignore'), 'utf8');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  const always = ['/jellyspec.json', '/README.md', '/CHANGELOG.md', '/.jellyfaasignore'];
  return ignore().add([...text.split(/\r?\n/), ...always.map((path) => `!${path}`)]);
}

/** Walks in a fixed order; `visit` says whether to go into a folder. */
function collect(
  root: string,
  below: string,
  visit: (path: string, kind: 'file' | 'folder' | 'other') => boolean,
): void {
  for (const name of readdirSync(join(root, below)).toSorted()) {
    if (EXCLUDED.has(name)) continue;
    const path = below === '' ? name : `${below}/${name}`;
    const stats = lstatSync(join(root, path));
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
    if (visit(path, kind)) collect(root, path, visit);
  }
}

function zipFiles(folder: string, shortname: string, files: readonly string[]): Promise<Buffer> {
  const archive = new ZipFile();
  for (const path of files) {
    const executable = (lstatSync(join(folder, path)).mode & 0o111) !== 0;
    archive.addBuffer(readFileSync(join(folder, path)), `${shortname}/${path}`, {
      mtime: MODIFIED,
      mode: executable ? 0o100755 : 0o100644,
    });
  }
  archive.end();
  return buffer(archive.outputStream);
}
