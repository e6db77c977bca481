import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { accountResource, createKeyRing, type KeyRing } from '../keys/key-ring.ts';
import { createReceipts } from '../keys/receipts.ts';
import type { RootKey } from '../keys/root-key.ts';
import { syncDirectory } from '../keys/sync-directory.ts';
import { apiKeyResource, openAccountStore } from '../stores/account-store.ts';
import { openBackupStore } from '../stores/backup-store.ts';
import { openKeyStore } from '../stores/key-store.ts';
import { accessHash } from './access-log.ts';
import type { BackupSettings } from './backup-settings.ts';
import type { RestoreId, RestoreRequest } from './backup-store.ts';
import { bringBack } from './bring-back.ts';
import { BACKED_UP } from './contents.ts';
import { backupErrors } from './errors.ts';
import { readGeneration } from './generation.ts';
import { mergeKeys, readKeyBackup } from './key-backup.ts';
import { openTarget } from './open-target.ts';

export interface RestoreOptions {
  /** Nobody else uses it: the caller holds its lock. */
  readonly dataDir: string;
  readonly settings: Pick<BackupSettings, 'target' | 'keysTarget'>;
  readonly root: RootKey;
  readonly clock: Clock;
}

/** An approved request, or the number of a generation where the installation, with all its requests, was lost. */
export type RestoreOrder =
  | { readonly request: RestoreId }
  | { readonly generation: number; readonly reason: string };

export interface Restored {
  readonly generation: number;
  /** Signed. */
  readonly receipt: string;
}

const APPROVAL_MS = 24 * 3_600_000;

interface Ready {
  readonly generation: number;
  readonly request: RestoreId | null;
  readonly reason: string;
}

const placesOf = (dataDir: string) => ({
  own: join(dataDir, 'restore'),
  staged: join(dataDir, 'restore', 'staged'),
  ready: join(dataDir, 'restore', 'ready.json'),
  keysDb: join(dataDir, 'keys', 'keys.db'),
  backupsDb: join(dataDir, 'backups', 'backups.db'),
});

/**
 * Puts a generation in the place of the data. All of it is brought back beside the data and checked first; from then on a
 * restore that is interrupted is finished by the next start. Keys are those of now: what was destroyed since stays dead.
 */
export async function restore(options: RestoreOptions, order: RestoreOrder): Promise<Restored> {
  const { dataDir, settings, root, clock } = options;
  const places = placesOf(dataDir);
  await finishSwap(dataDir);
  await rm(places.own, { recursive: true, force: true });
  const record = await readKeyBackup(settings.keysTarget, root);
  const store = await openKeyStore({ path: places.keysDb, root });
  try {
    const keyRing = createKeyRing({ root, store, clock });
    await mergeKeys(record, { store, ring: keyRing });
    const ready = await readyOf(options, keyRing, order);
    const { publicKey } = await createReceipts(keyRing);
    const target = await openTarget(settings.target);
    const { files } = await readGeneration(target, publicKey, ready.generation);
    for (const folder of BACKED_UP)
      await mkdir(join(places.staged, folder), { recursive: true, mode: 0o700 });
    await bringBack(target, files, places.staged).catch((thrown: unknown) => {
      throw isFull(thrown) ? backupErrors.noSpace() : thrown;
    });
    await replayTombstones(places.staged, keyRing, store);
    // The log of this installation goes on; that of the generation counts only where there is none.
    if (existsSync(places.backupsDb)) await rm(join(places.staged, 'backups'), { recursive: true });
    await markReady(places, ready);
    await swap(dataDir);
    return await conclude(options, keyRing, ready);
  } finally {
    await store.close();
  }
}

/** At every start, before a store is opened: ends a swap that was interrupted, and forgets one that did not begin. */
export async function finishSwap(dataDir: string): Promise<void> {
  const { own, ready } = placesOf(dataDir);
  if (existsSync(ready)) await swap(dataDir);
  else await rm(own, { recursive: true, force: true });
}

/** Ends what `finishSwap` began; undefined when there was nothing. */
export async function finishRestore(
  options: RestoreOptions,
  keyRing: KeyRing,
): Promise<Restored | undefined> {
  const { ready } = placesOf(options.dataDir);
  if (!existsSync(ready)) return undefined;
  return await conclude(options, keyRing, JSON.parse(await readFile(ready, 'utf8')) as Ready);
}

async function readyOf(
  { dataDir, clock }: RestoreOptions,
  keyRing: KeyRing,
  order: RestoreOrder,
): Promise<Ready> {
  const path = placesOf(dataDir).backupsDb;
  if (!existsSync(path)) {
    if ('request' in order) throw backupErrors.notApproved();
    return { ...order, request: null };
  }
  // Where there is a log, there are two people who can decide.
  if (!('request' in order)) throw backupErrors.notApproved();
  const store = await openBackupStore({ path, keyRing });
  try {
    const request = await store.findRequest(order.request);
    if (request === undefined || !isApproved(request, clock.now())) throw backupErrors.notApproved();
    return { generation: request.generation, request: request.id, reason: request.reason };
  } finally {
    await store.close();
  }
}

function isApproved({ approvedAt, executedAt }: RestoreRequest, now: number): boolean {
  return approvedAt !== null && executedAt === null && Math.abs(now - approvedAt) <= APPROVAL_MS;
}

/** What was erased since is erased again; files and databases have no key any more and are swept at the start. */
async function replayTombstones(
  staged: string,
  keyRing: KeyRing,
  keys: Awaited<ReturnType<typeof openKeyStore>>,
): Promise<void> {
  const path = join(staged, 'accounts', 'accounts.db');
  if (!existsSync(path)) return;
  const { tombstones } = await keys.record();
  const dead = new Set(tombstones.map(({ hash }) => Buffer.from(hash).toString('hex')));
  const isDead = async (resource: string): Promise<boolean> =>
    dead.has(Buffer.from(await keyRing.tombstoneHash(resource)).toString('hex'));
  const accounts = await openAccountStore({ path, keyRing });
  try {
    for (const { id } of await accounts.listAccounts()) {
      if (!(await isDead(accountResource(id)))) continue;
      // The next start erases it everywhere else.
      await accounts.rights.erasures.begin(id);
      await accounts.forgetAccount(id);
    }
    for (const { id } of await accounts.listKeys()) {
      if (await isDead(apiKeyResource(id))) await accounts.removeKey(id);
    }
  } finally {
    await accounts.close();
  }
}

function isFull(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC';
}

async function markReady({ own, ready }: ReturnType<typeof placesOf>, content: Ready): Promise<void> {
  const file = await open(`${ready}.new`, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(content));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${ready}.new`, ready);
  await syncDirectory(own);
}

/** Each folder is removed and replaced; one that is no longer staged has been. */
async function swap(dataDir: string): Promise<void> {
  const { staged } = placesOf(dataDir);
  for (const folder of BACKED_UP) {
    if (!existsSync(join(staged, folder))) continue;
    await rm(join(dataDir, folder), { recursive: true, force: true });
    await rename(join(staged, folder), join(dataDir, folder));
  }
  await syncDirectory(dataDir);
}

async function conclude(
  { dataDir, clock }: RestoreOptions,
  keyRing: KeyRing,
  { generation, request, reason }: Ready,
): Promise<Restored> {
  const places = placesOf(dataDir);
  const receipts = await createReceipts(keyRing);
  const now = clock.now();
  const receipt = await receipts.sign({
    event: 'backup.restored',
    generation,
    ...(request !== null && { request }),
    at: new Date(now).toISOString(),
  });
  const store = await openBackupStore({ path: places.backupsDb, keyRing });
  try {
    if (request !== null) await store.executed(request, receipt, now);
    const entry = { at: now, event: 'restored', actor: null, generation, outcome: 'ok', reason } as const;
    await store.log(entry, accessHash);
  } finally {
    await store.close();
  }
  await rm(places.own, { recursive: true, force: true });
  return { generation, receipt };
}
