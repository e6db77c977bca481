import { mkdtemp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { RootKey } from '../keys/root-key.ts';
import { bringBack, intact } from './bring-back.ts';
import type { StoredGeneration } from './backup-store.ts';
import { type Generation, readGeneration } from './generation.ts';
import { readKeyBackup, ringOf } from './key-backup.ts';
import type { FileEntry } from './still-copy.ts';
import { CHECKED_STORE, type StoreChecker } from './store-checker.ts';
import { isOfTenant, isTenantOf } from './synthetic-tenant.ts';
import type { BackupTarget } from './target.ts';

export type FindingCode =
  /** Manifest or list is missing, not signed by this installation, or of another generation. */
  | 'manifest'
  /** It is signed, but not the one that was written: an older target was put in its place. */
  | 'exchanged'
  /** Ciphertext is missing, or not what was backed up. */
  | 'file'
  /** The tenant of the platform's own could not be restored, or what it had dropped opens. */
  | 'tenant'
  /** A store does not open with its key, or SQLite finds it damaged. */
  | 'store'
  /** The backup of the keys is missing, damaged or of another root key. */
  | 'keys';

export interface Finding {
  readonly code: FindingCode;
  /** A path in the data directory: ids, no content. */
  readonly path: string | null;
}

export interface Verification {
  readonly generation: number;
  /** Files whose ciphertext was hashed again. */
  readonly files: number;
  readonly bytes: number;
  /** Stores that were checked in the jail. */
  readonly stores: number;
  readonly findings: readonly Finding[];
}

export interface VerifyOptions {
  readonly target: BackupTarget;
  readonly keysTarget: string;
  readonly root: RootKey;
  readonly publicKey: Receipts['publicKey'];
  readonly checker: StoreChecker;
  /** Where ciphertext is brought back to, and removed again. */
  readonly scratchDir: string;
  /** Told of each file that is missing or another. */
  readonly onDamaged: (file: FileEntry) => void;
}

export interface VerifyQuestion {
  readonly generation: StoredGeneration;
  /** Which files to hash; all of the tenant's and of the stores that are checked are, anyway. */
  readonly chosen: (file: FileEntry) => boolean;
}

/** Looks at everything and reads nobody's content. */
export async function verifyGeneration(
  options: VerifyOptions,
  question: VerifyQuestion,
): Promise<Verification> {
  const { number } = question.generation;
  const findings: Finding[] = [];
  const found = { generation: number, files: 0, bytes: 0, stores: 0, findings };
  const generation = await readGeneration(options.target, options.publicKey, number).catch(onlyFaults);
  if (generation === undefined) findings.push({ code: 'manifest', path: null });
  else if (!Buffer.from(question.generation.manifest).equals(generation.hash)) {
    findings.push({ code: 'exchanged', path: null });
  }
  const record = await readKeyBackup(options.keysTarget, options.root).catch(onlyFaults);
  if (record === undefined) findings.push({ code: 'keys', path: null });
  if (generation === undefined) return found;

  const damaged = new Set<string>();
  for (const file of generation.files.filter(question.chosen)) {
    if (await isIntact(options.target, file)) found.bytes += file.size;
    else {
      damaged.add(file.path);
      options.onDamaged(file);
    }
    found.files++;
  }
  findings.push(...[...damaged].map((path): Finding => ({ code: 'file', path })));
  if (record === undefined) return found;
  const keys = ringOf(record, options.root);
  if (!(await hasTenant(options, generation, keys))) findings.push({ code: 'tenant', path: null });
  for (const { path } of generation.files) {
    const key = damaged.has(path) ? undefined : await keyOfStore(path, keys);
    if (key === undefined) continue;
    found.stores++;
    if (!(await isSound(options, generation, { path, key }))) findings.push({ code: 'store', path });
  }
  return found;
}

async function isIntact(target: BackupTarget, file: FileEntry): Promise<boolean> {
  try {
    for await (const _ of intact(target, file));
    return true;
  } catch (thrown) {
    onlyFaults(thrown);
    return false;
  }
}

async function hasTenant(
  { target, scratchDir }: VerifyOptions,
  { generation, files }: Generation,
  keys: Pick<KeyRing, 'find'>,
): Promise<boolean> {
  return await inScratch(scratchDir, async (directory) => {
    await bringBack(
      target,
      files.filter(({ path }) => isOfTenant(path)),
      directory,
    );
    return await isTenantOf(generation, directory, keys);
  });
}

/** The keys of stores that the service itself can open; others open with their owners' only. */
async function keyOfStore(path: string, keys: Pick<KeyRing, 'find'>): Promise<Uint8Array | undefined> {
  const [, folder = '', rest = ''] = /^([a-z]+)\/(.+)\.db$/.exec(path) ?? [];
  const customer = /^(acct_[0-9A-Za-z]{20})\/aimee$/.exec(rest)?.[1];
  if (folder === 'calls') return await keys.find(`calls/${rest}`);
  if (folder === 'aimee' && rest === 'sites') return await keys.find('stores/aimee-sites');
  if (folder === 'aimee' && customer !== undefined) return await keys.find(`aimee/${customer}/file`);
  return folder !== '' && rest === folder ? await keys.find(`stores/${folder}`) : undefined;
}

async function isSound(
  { target, scratchDir, checker }: VerifyOptions,
  { files }: Generation,
  { path, key }: { readonly path: string; readonly key: Uint8Array },
): Promise<boolean> {
  return await inScratch(scratchDir, async (directory) => {
    await bringBack(
      target,
      files.filter((file) => file.path === path || file.path === `${path}-wal`),
      directory,
    );
    const own = join(directory, 'checked');
    await mkdir(own, { mode: 0o700 });
    await rename(join(directory, path), join(own, CHECKED_STORE));
    await rename(join(directory, `${path}-wal`), join(own, `${CHECKED_STORE}-wal`)).catch(() => undefined);
    return await checker.isSound(own, key);
  });
}

/** What is damaged there is the answer no. */
async function inScratch(
  scratchDir: string,
  check: (directory: string) => Promise<boolean>,
): Promise<boolean> {
  await mkdir(scratchDir, { recursive: true, mode: 0o700 });
  const directory = await mkdtemp(join(scratchDir, 'check-'));
  try {
    return await check(directory);
  } catch (thrown) {
    onlyFaults(thrown);
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Faults of the backup are findings; a target that cannot be read at all, or a sandbox that fails, is none. */
function onlyFaults(thrown: unknown): undefined {
  const codes = ['backups.damaged', 'backups.keys_unreadable'];
  if (thrown instanceof PlatformError && codes.includes(thrown.code)) return undefined;
  throw thrown;
}
