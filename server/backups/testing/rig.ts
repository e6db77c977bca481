import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Accounts } from '../../accounts/accounts.ts';
import { createAccounts } from '../../accounts/create-accounts.ts';
import type { Holder, Principal } from '../../accounts/principal.ts';
import { createDatabases } from '../../databases/create-databases.ts';
import type { Databases } from '../../databases/databases.ts';
import { type Blobs, createBlobs } from '../../functions/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { AccountId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import type { Scheduler } from '../../kernel/scheduler.ts';
import { createKeyRing, type KeyRing } from '../../keys/key-ring.ts';
import { createReceipts } from '../../keys/receipts.ts';
import type { RootKey } from '../../keys/root-key.ts';
import { openAccountStore } from '../../stores/account-store.ts';
import { openBackupStore } from '../../stores/backup-store.ts';
import { openDatabaseStore } from '../../stores/database-store.ts';
import { openKeyStore, type OpenKeyStore } from '../../stores/key-store.ts';
import { databaseFiles } from '../../stores/rekey.ts';
import { openEncrypted } from '../../stores/sqlite.ts';
import type { RestoreId } from '../backup-store.ts';
import type { BackupSettings } from '../backup-settings.ts';
import type { Backups } from '../backups.ts';
import { createBackups } from '../create-backups.ts';
import { finishRestore, finishSwap, restore, type RestoreOrder, type Restored } from '../restore.ts';
import type { StoreChecker } from '../store-checker.ts';

const DAY_MS = 86_400_000;
export const NOW = Date.UTC(2026, 10, 23);

/** An installation's real stores over one data directory, without the platform around them. */
export interface Installation {
  readonly backups: Backups;
  readonly keyRing: KeyRing;
  readonly keyStore: OpenKeyStore;
  readonly accounts: Accounts;
  readonly databases: Databases;
  readonly blobs: Blobs;
  /** The owner, and his first key. */
  readonly owner: { readonly apiKey: string; readonly holder: Holder; readonly id: AccountId };
  close(): Promise<void>;
}

export interface Places {
  readonly dataDir: string;
  readonly target: string;
  readonly keysTarget: string;
}

export interface Rig extends Places {
  readonly root: RootKey;
  readonly clock: { wall: number; steady: number };
  readonly due: (() => void)[];
  open(places?: Partial<Places>): Promise<Installation>;
  /** Where no server runs. */
  restore(order: RestoreOrder, places?: Partial<Places>): Promise<Restored>;
  /** Copies of all three places, as they are now. */
  snapshot(): Places;
  remove(): void;
}

export const OWNER_KEY = 'sk_ownerkey0wnerkey0wnerkey0wn';

/** A checker that has no jail: whether the jail says one bit only is a test of its own. */
const openingChecker: StoreChecker = {
  async isSound(directory, key) {
    try {
      const store = await openEncrypted({
        name: 'checked',
        path: join(directory, 'store.db'),
        key,
        migrations: [],
      });
      await store.close();
      return true;
    } catch (thrown) {
      // Without migrations of its own it only gets as far as the schema.
      return thrown instanceof Error && 'code' in thrown && thrown.code === 'stores.too_new';
    }
  },
};

export function createRig({
  keep = 5,
  maxAgeDays = 30,
  parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
} = {}): Rig {
  const base = mkdtempSync(join(parent, 'backups-'));
  const own: Places = {
    dataDir: join(base, 'data'),
    target: join(base, 'target'),
    keysTarget: join(base, 'keys-target'),
  };
  const root: RootKey = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
  const time = { wall: NOW, steady: 0 };
  const clock: Clock = { now: () => time.wall, monotonicMs: () => time.steady };
  const due: (() => void)[] = [];
  const scheduler: Scheduler = {
    after(_delayMs, task) {
      due.push(task);
      return { close: () => void due.splice(0, due.length, ...due.filter((one) => one !== task)) };
    },
  };
  const settingsOf = (places: Places) => ({
    target: { kind: 'directory' as const, path: places.target },
    keysTarget: places.keysTarget,
    everyMs: DAY_MS,
    keep,
    maxAgeMs: maxAgeDays * DAY_MS,
  });
  let snapshots = 0;

  return {
    ...own,
    root,
    clock: time,
    due,
    open: (over) => {
      const places = { ...own, ...over };
      return openInstallation({
        root,
        clock,
        scheduler,
        settings: settingsOf(places),
        dataDir: places.dataDir,
      });
    },
    async restore(order, over) {
      const places = { ...own, ...over };
      return await restore({ dataDir: places.dataDir, settings: settingsOf(places), root, clock }, order);
    },
    snapshot() {
      const at = join(base, `snapshot-${++snapshots}`);
      const places = { dataDir: join(at, 'data'), target: join(at, 'target'), keysTarget: join(at, 'keys') };
      for (const name of ['dataDir', 'target', 'keysTarget'] as const) {
        if (existsSync(own[name])) cpSync(own[name], places[name], { recursive: true });
      }
      return places;
    },
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

interface InstallationParts {
  readonly dataDir: string;
  readonly settings: BackupSettings;
  readonly root: RootKey;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

async function openInstallation(parts: InstallationParts): Promise<Installation> {
  const { dataDir, settings, root, clock } = parts;
  await finishSwap(dataDir);
  const keyStore = await openKeyStore({ path: join(dataDir, 'keys', 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keyStore, clock });
  const receipts = await createReceipts(keyRing);
  await finishRestore({ dataDir, settings, root, clock }, keyRing);
  const store = await openBackupStore({ path: join(dataDir, 'backups', 'backups.db'), keyRing });
  const backups = await createBackups({
    ...parts,
    keyStore,
    keyRing,
    receipts,
    store,
    checker: openingChecker,
    events: { emit: () => undefined },
  });
  const accountStore = await openAccountStore({ path: join(dataDir, 'accounts', 'accounts.db'), keyRing });
  const accounts = await createAccounts({ store: accountStore, keyRing, clock });
  await accounts.bootstrap(new Secret(OWNER_KEY));
  const directory = join(dataDir, 'databases');
  const databaseStore = await openDatabaseStore({ path: join(directory, 'databases.db'), keyRing });
  const databases = await createDatabases({
    store: databaseStore,
    keyRing,
    receipts,
    clock,
    directory,
    files: databaseFiles,
  });
  const holder = await accounts.unlock(OWNER_KEY);
  if (holder === undefined) throw new Error('the owner is gone');
  return {
    backups,
    keyRing,
    keyStore,
    accounts,
    databases,
    blobs: createBlobs({ dir: join(dataDir, 'blobs'), keyRing }),
    owner: { apiKey: OWNER_KEY, holder, id: holder.accountId },
    async close() {
      await backups.close();
      for (const one of [databaseStore, accountStore, store, keyStore]) await one.close();
    },
  };
}

/** Writes a note into a database of the owner's, as its engine would: under the key that the caller brings. */
export async function writeNotes(
  installation: Installation,
  name: string,
  notes: readonly string[],
): Promise<void> {
  const { databases, owner } = installation;
  const known = (await databases.list(owner.holder, 'sql')).some((one) => one.name === name);
  if (!known)
    await databases.create(owner.holder, { kind: 'sql', name, settings: {} }, async () => undefined);
  const { file } = await databases.open(owner.holder, 'sql', name);
  const store = await openNotes(join(file.directory, 'data.db'), file.key);
  for (const note of notes) await store.db.insertInto('note').values({ text: note }).execute();
  await store.close();
}

export async function readNotes(installation: Installation, name: string): Promise<string[]> {
  const { databases, owner } = installation;
  const { file } = await databases.open(owner.holder, 'sql', name);
  const store = await openNotes(join(file.directory, 'data.db'), file.key);
  try {
    return (await store.db.selectFrom('note').select('text').orderBy('rowid').execute()).map(
      ({ text }) => text,
    );
  } finally {
    await store.close();
  }
}

export async function openNotes(path: string, key: Uint8Array) {
  return await openEncrypted<{ note: { text: string; rowid: never } }>({
    name: 'notes',
    path,
    key,
    migrations: [
      {
        name: '001-notes',
        async up(tx) {
          await tx.schema.createTable('note').addColumn('text', 'text').execute();
        },
      },
    ],
  });
}

async function principalOf({ accounts }: Installation, apiKey: string): Promise<Principal> {
  const principal = await accounts.authenticateKey(apiKey);
  if (principal === undefined) throw new Error('no such key');
  return principal;
}

export async function ownerOf(installation: Installation): Promise<Principal> {
  return await principalOf(installation, installation.owner.apiKey);
}

/** A restore that two people have asked for and approved. */
export async function approvedRestore(
  installation: Installation,
  generation: number,
): Promise<{ request: RestoreId }> {
  const { backups, accounts, owner } = installation;
  const reason = 'the disk broke';
  const { id } = await backups.requestRestore(await ownerOf(installation), { generation, reason });
  const { apiKey } = await accounts.createKey(owner.holder);
  await backups.approveRestore(await principalOf(installation, apiKey.reveal()), id);
  return { request: id };
}

/** What a check of all of it finds; of the newest generation if none is named. */
export async function findingsOf({ backups }: Installation, generation?: number): Promise<string[]> {
  const question = { share: 1, ...(generation !== undefined && { generation }) };
  return (await backups.verify(null, question)).findings.map(({ code }) => code);
}
