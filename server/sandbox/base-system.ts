import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JailBind } from './jail.ts';

/** Host directories that every jail sees where the host has them; programs are not among them. */
const SHARED = [
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/usr/share/zoneinfo',
  '/usr/share/ca-certificates',
  '/etc/ssl/certs',
];

/** Links to the above on a merged-/usr host, directories of their own elsewhere. */
const LIBRARY_ROOTS = ['/lib', '/lib32', '/lib64'];

const ETC: Readonly<Record<string, string>> = {
  passwd: 'nobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n',
  group: 'nogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost fn\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Writes the small /etc of all jails below `directory` and returns the binds of the base system. */
export async function createBaseSystem(directory: string): Promise<JailBind[]> {
  await mkdir(directory);
  await chmod(directory, 0o755);
  for (const [name, text] of Object.entries(ETC)) {
    await writeFile(join(directory, name), text);
    await chmod(join(directory, name), 0o644);
  }
  return [
    ...SHARED.filter((path) => existsSync(path)).map((path) => ({ source: path, target: path })),
    ...LIBRARY_ROOTS.filter((path) => existsSync(path)).map((path) => ({
      source: lstatSync(path).isSymbolicLink() ? realpathSync(path) : path,
      target: path,
    })),
    ...Object.keys(ETC).map((name) => ({ source: join(directory, name), target: `/etc/${name}` })),
  ];
}
