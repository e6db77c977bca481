import { chmod, chown, link, lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import { writeTree } from './write-tree.ts';

/** The directories of one jail on the host, all in RAM. */
export interface JailFiles {
  /** Read-only at `/app` inside. */
  readonly app: string;
  /** `/run/fn` inside: sockets between host and guest. */
  readonly sockets: string;
  writeApp(tree: SourceTree): Promise<void>;
  /** See `JailedProcess.sealSocket`. */
  sealSocket(name?: string): Promise<string>;
  remove(): Promise<void>;
}

/** Without root, host and guest are the same user and nothing needs to change owner. */
export type Chown = (path: string, uid: number, gid: number) => Promise<void>;
const chownAsRoot: Chown = process.getuid?.() === 0 ? chown : () => Promise.resolve();

export interface JailFilesOptions {
  readonly directory: string;
  readonly uid: number;
  /** Whether the guest will bind a socket in `sockets` and so may write there until it is sealed. */
  readonly guestBindsSocket: boolean;
}

export async function createJailFiles(options: JailFilesOptions): Promise<JailFiles> {
  const { directory, uid, guestBindsSocket } = options;
  const app = join(directory, 'app');
  const sockets = join(directory, 'sockets');
  const sealed = join(directory, 'sealed');
  await mkdir(directory);
  await Promise.all([
    chmod(directory, 0o711),
    makeOwned(app, { uid: 0, gid: uid, mode: 0o750 }),
    makeOwned(sockets, guestBindsSocket ? { uid, gid: uid, mode: 0o700 } : { uid: 0, gid: uid, mode: 0o750 }),
    makeOwned(sealed, { uid: 0, gid: 0, mode: 0o700 }),
  ]);
  return {
    app,
    sockets,
    writeApp: (tree) => writeTree(app, tree),
    sealSocket: (name = 'http.sock') => seal({ sockets, sealed, name }, uid),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function makeOwned(path: string, owner: { uid: number; gid: number; mode: number }): Promise<void> {
  await mkdir(path);
  await chownAsRoot(path, owner.uid, owner.gid);
  await chmod(path, owner.mode);
}

interface Sealing {
  readonly sockets: string;
  readonly sealed: string;
  readonly name: string;
}

/**
 * First the guest loses the directory, then the socket gets a second name in a directory that was never its
 * own, and only that name is looked at and used: whatever the guest does to its own name is without effect.
 */
async function seal({ sockets, sealed, name }: Sealing, uid: number): Promise<string> {
  await chownAsRoot(sockets, 0, uid);
  await chmod(sockets, 0o750);
  const path = join(sealed, name);
  // link(2) does not follow a symbolic link but names it; lstat then tells what it is.
  await link(join(sockets, name), path).catch((error: unknown) => {
    throw notASocket('is not there (was it sealed before?)', error);
  });
  if (!(await lstat(path)).isSocket()) {
    await rm(path);
    throw notASocket('is something other than a socket');
  }
  return path;
}

function notASocket(what: string, cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'sandbox.no_socket',
    message: `The worker's socket ${what}, so the instance is not used.`,
    cause,
  });
}
