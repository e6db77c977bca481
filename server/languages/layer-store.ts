import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AccountId, LayerId } from '../kernel/ids.ts';
import type { Scratch } from '../sandbox/jail.ts';
import {
  copyTree,
  digestTree,
  listHostileTree,
  refuseEscapingLinks,
  type TreeEntry,
} from './hostile-tree.ts';
import { BuildFailure } from './language.ts';

/** Whose look-ups an entry of the index serves: one account, or `base` for what holds nothing of anyone's. */
export type LayerIndex = AccountId | 'base';

export interface TakeOptions {
  readonly scratch: Scratch;
  /** Directory below the scratch, for example `node_modules`. */
  readonly below: string;
  /** Where workers will see the tree; links may lead into it and to `/app`. */
  readonly mountedAt: string;
  /** Leaves entries out, or leads links elsewhere. */
  readonly arrange?: (entries: readonly TreeEntry[]) => readonly TreeEntry[];
}

/**
 * Dependency layers: read-only trees addressed by the SHA-256 of their content, at `<layers>/<id>`. They hold
 * public packages only and therefore lie in the clear. Two accounts with the same tree share the directory, but
 * what an account's manifest leads to is looked up per account, so nobody chooses what another one runs.
 */
export interface LayerStore {
  /** Copies a tree out of a scratch on which no process runs. Rejects with `BuildFailure` for hostile trees. */
  take(options: TakeOptions): Promise<LayerId>;
  /** Host directory of a layer, readable by everyone. */
  path(id: LayerId): string;
  findByInput(index: LayerIndex, inputKey: string): Promise<LayerId | undefined>;
  remember(index: LayerIndex, inputKey: string, id: LayerId): Promise<void>;
  /** Whether the content still has the digest that names it. */
  verify(id: LayerId): Promise<boolean>;
  /** Forgets an account's look-ups (erasure). */
  forget(account: AccountId): Promise<void>;
  /**
   * Removes every layer that no version (`referenced`) needs and no build looked up for a month: what Go and Java
   * compile with belongs to no version, and saves the next build minutes. Base layers, and those that this process
   * handed out, stay. Returns how many were removed.
   */
  collect(referenced: ReadonlySet<LayerId>): Promise<number>;
}

const BOUNDS = { entries: 200_000, sizeBytes: 2 ** 30 };
const LOOK_UP_KEPT_MS = 30 * 24 * 3_600_000;
const LAYER_ID = /^[0-9a-f]{64}$/;
const run = promisify(execFile);

/** Opens the store at `directory` (created when missing) and sweeps what a crash left half done. */
export async function openLayerStore(directory: string): Promise<LayerStore> {
  const index = join(directory, 'index');
  const incoming = join(directory, 'incoming');
  await rm(incoming, { recursive: true, force: true });
  await mkdir(index, { recursive: true });
  await mkdir(incoming);
  await chmod(directory, 0o755);

  const handedOut = new Set<string>();
  const path = (id: LayerId): string => join(directory, id);
  const entryPath = (owner: LayerIndex, inputKey: string): string => join(index, owner, inputKey);

  async function take({ scratch, below, mountedAt, arrange }: TakeOptions): Promise<LayerId> {
    const root = await plainDirectory(scratch.path, below);
    const found = await listHostileTree(root, BOUNDS);
    const entries = arrange?.(found) ?? found;
    refuseEscapingLinks(entries, mountedAt, ['/app']);
    const copy = join(incoming, randomBytes(12).toString('hex'));
    try {
      const id = (await copyTree(root, copy, entries)) as LayerId;
      handedOut.add(id);
      await moveIn(copy, path(id));
      return id;
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  }

  async function findByInput(owner: LayerIndex, inputKey: string): Promise<LayerId | undefined> {
    const id = await readFile(entryPath(owner, inputKey), 'utf8').catch(() => '');
    if (!LAYER_ID.test(id) || !(await exists(path(id as LayerId)))) return undefined;
    handedOut.add(id);
    const now = new Date();
    await utimes(entryPath(owner, inputKey), now, now);
    return id as LayerId;
  }

  async function remember(owner: LayerIndex, inputKey: string, id: LayerId): Promise<void> {
    await mkdir(join(index, owner), { recursive: true });
    const copy = join(incoming, randomBytes(12).toString('hex'));
    await writeFile(copy, id);
    await rename(copy, entryPath(owner, inputKey));
  }

  async function collect(referenced: ReadonlySet<LayerId>): Promise<number> {
    const kept = new Set<string>([...referenced, ...handedOut]);
    for (const owner of await readdir(index)) {
      for (const id of await lookedUp(index, owner)) kept.add(id);
    }
    const names = await readdir(directory);
    const garbage = names.filter((name) => LAYER_ID.test(name) && !kept.has(name));
    for (const name of garbage) {
      // Out of sight first: a look-up never finds a layer that is half removed.
      const aside = join(incoming, randomBytes(12).toString('hex'));
      await rename(join(directory, name), aside);
      await rm(aside, { recursive: true, force: true });
    }
    return garbage.length;
  }

  return {
    take,
    path,
    findByInput,
    remember,
    collect,
    verify: async (id) => (await digestTree(path(id), await listHostileTree(path(id), BOUNDS))) === id,
    forget: (account) => rm(join(index, account), { recursive: true, force: true }),
  };
}

/** Layers that an index names; entries that served no build for a month are forgotten, but for the base. */
async function lookedUp(index: string, owner: string): Promise<string[]> {
  const ids: string[] = [];
  for (const key of await readdir(join(index, owner))) {
    const entry = join(index, owner, key);
    const unusedMs = Date.now() - (await stat(entry)).mtimeMs;
    if (owner !== 'base' && unusedMs > LOOK_UP_KEPT_MS) await rm(entry);
    else ids.push(await readFile(entry, 'utf8'));
  }
  return ids;
}

/** `below` step by step, so that no part of it is a link that the step left in its place. */
async function plainDirectory(top: string, below: string): Promise<string> {
  let at = top;
  for (const part of below.split('/')) {
    at = join(at, part);
    const stat = await lstat(at).catch(() => undefined);
    if (!stat?.isDirectory()) throw new BuildFailure(`The build left no directory ${below}.`);
  }
  return at;
}

/** Durable before it is visible: an id must never name a tree whose files a power failure emptied. */
async function moveIn(copy: string, place: string): Promise<void> {
  if (await exists(place)) return;
  // One flush of the file system: a layer has thousands of files, and Node has no syncfs of its own.
  await run('sync', ['--file-system', copy]);
  try {
    await rename(copy, place);
  } catch (error) {
    // Another build moved the same content in meanwhile.
    if (!(await exists(place))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
