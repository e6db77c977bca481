import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import type * as Fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { Holder } from '../accounts/principal.ts';
import { type Bases, createBases } from '../aimee/knowledge-bases.ts';
import type { Site } from '../aimee/sites.ts';
import { createDatabases } from '../databases/create-databases.ts';
import type { Databases } from '../databases/databases.ts';
import { type Blobs, codeBlob, createBlobs } from '../functions/blobs.ts';
import { systemClock } from '../kernel/clock.ts';
import { type AccountId, type FunctionId, type SiteId, newId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing, type KeyRing } from '../keys/key-ring.ts';
import { createReceipts } from '../keys/receipts.ts';
import { openFile } from '../keys/sealed-blob.ts';
import { abandonNextRootKey, loadRootKey, type RootKey } from '../keys/root-key.ts';
import { createKeyRotation, type KeyRotation } from '../keys/rotation.ts';
import type { VectorEngine } from '../vectors/engine/vector-engine.ts';
import { openDatabaseStore } from './database-store.ts';
import { openKeyStore } from './key-store.ts';
import { databaseFiles } from './rekey.ts';
import { openRingStore } from './ring-store.ts';
import { type EncryptedStore, openEncrypted } from './sqlite.ts';

/** kill -9 at every step: before each change to the disk, all of it is copied, and each copy is started from. */
const steps = vi.hoisted(() => ({ tell: undefined as (() => void) | undefined }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof Fs>();
  const told =
    <T extends unknown[], R>(change: (...given: T) => R) =>
    (...given: T): R => {
      steps.tell?.();
      return change(...given);
    };
  return {
    ...real,
    open: told(real.open),
    rename: told(real.rename),
    rm: told(real.rm),
    copyFile: told(real.copyFile),
    link: told(real.link),
    unlink: told(real.unlink),
  };
});

const alice: Holder = {
  accountId: newId<AccountId>('acct'),
  accountKey: new Secret(new Uint8Array(randomBytes(32))),
};
/** Its knowledge lies in a file like that of any vector database. */
const site = {
  id: newId<SiteId>('site'),
  accountId: alice.accountId,
  createdAt: 0,
  knowledge: { model: 'm', dimensions: 2 },
} as Site;
const code = codeBlob(newId<FunctionId>('fn'), 1);

const noteMigrations = [
  {
    name: '001-notes',
    up: async (db: Kysely<unknown>) =>
      await db.schema.createTable('note').addColumn('text', 'text').execute(),
  },
];
type Notes = EncryptedStore<{ note: { text: string } }>;

interface Started {
  readonly dir: string;
  readonly root: RootKey;
  readonly keyRing: KeyRing;
  readonly notes: Notes;
  readonly databases: Databases;
  readonly bases: Bases;
  readonly blobs: Blobs;
  /** Databases of assistants that the engine was told to leave alone, and not yet to use again. */
  readonly paused: ReadonlySet<string>;
  readonly rotation: KeyRotation;
  stop(): Promise<void>;
}

const homes: string[] = [];
const running: Started[] = [];
const newHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), 'rotation-'));
  homes.push(home);
  return home;
};
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
afterAll(() => homes.forEach((home) => rmSync(home, { recursive: true })));

/** As the platform starts: root, keys, stores, databases, knowledge, code. */
async function start(dir: string): Promise<Started> {
  const source = { source: 'file', path: join(dir, 'keys', 'root.key') } as const;
  await abandonNextRootKey(source);
  const root = await loadRootKey(source, true);
  const keys = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keys });
  const receipts = await createReceipts(keyRing);
  const notes = await openRingStore<{ note: { text: string } }>({
    name: 'notes',
    path: join(dir, 'notes.db'),
    keyRing,
    migrations: noteMigrations,
  });
  const store = await openDatabaseStore({ path: join(dir, 'databases', 'databases.db'), keyRing });
  const databases = await createDatabases({
    store,
    keyRing,
    receipts,
    clock: systemClock,
    directory: join(dir, 'databases'),
    files: databaseFiles,
  });
  const paused = new Set<string>();
  const bases = createBases({
    sites: { get: async () => site, list: async () => [site], setKnowledge: async () => site },
    customers: { directoryOf: (accountId) => join(dir, 'aimee', accountId) },
    keyRing,
    files: databaseFiles,
    engine: {
      forget: async (id: string) => void paused.add(id),
      recall: (id: string) => void paused.delete(id),
    } as unknown as VectorEngine,
    embedders: {} as never,
  });
  const blobs = createBlobs({ dir: join(dir, 'blobs'), keyRing });
  await blobs.sweep(new Set([code]));
  const rotation = createKeyRotation({
    keyRing,
    root,
    source,
    stores: [notes, store],
    databases,
    conversations: { rotateKey: async () => false },
    knowledge: bases,
    code: blobs,
    backups: undefined,
    receipts,
    clock: systemClock,
    events: { emit: () => undefined },
  });
  const stop = async (): Promise<void> => {
    for (const one of [notes, store, keys]) await one.close();
  };
  const started = { dir, root, keyRing, notes, databases, bases, blobs, paused, rotation, stop };
  running.push(started);
  return started;
}

/** With a note in a store of the installation, one each in a database and the knowledge of the account, and its code. */
async function startWithNotes(): Promise<Started> {
  const started = await start(newHome());
  const { dir, notes, databases, blobs, keyRing } = started;
  await notes.db.insertInto('note').values({ text: 'kept' }).execute();
  await keyRing.obtain('a', 'root');
  await keyRing.obtain('b', alice.accountId);
  await databases.create(alice, { kind: 'sql', name: 'mine', settings: {} }, async ({ directory, key }) => {
    const file = await openNotes(join(directory, 'data.db'), key);
    await file.db.insertInto('note').values({ text: 'mine' }).execute();
    await file.close();
  });
  const own = join(dir, 'aimee', site.accountId, site.id);
  mkdirSync(own, { recursive: true });
  const key = await keyRing.obtain(`aimee/${site.accountId}/${site.id}`, site.accountId);
  const known = await openNotes(join(own, 'vectors.db'), key);
  await known.db.insertInto('note').values({ text: 'known' }).execute();
  await known.close();
  await blobs.put(code, alice.accountId, Buffer.from('export default 1'));
  return started;
}

const openNotes = (path: string, key: Uint8Array): Promise<Notes> =>
  openEncrypted({ name: 'notes', path, key, migrations: noteMigrations });

async function contentOf({ keyRing, notes, databases, bases, blobs }: Started): Promise<object> {
  const { file } = await databases.open(alice, 'sql', 'mine');
  const mine = await openNotes(join(file.directory, 'data.db'), file.key);
  const { file: knownFile } = await bases.openOf(site);
  const known = await openNotes(join(knownFile.directory, 'vectors.db'), knownFile.key);
  const texts = async ({ db }: Notes): Promise<string[]> =>
    (await db.selectFrom('note').select('text').execute()).map(({ text }) => text);
  try {
    return {
      a: await keyRing.find('a'),
      b: await keyRing.find('b'),
      notes: await texts(notes),
      mine: await texts(mine),
      known: await texts(known),
      code: Buffer.from(await blobs.get(code)).toString(),
    };
  } finally {
    await mine.close();
    await known.close();
  }
}

const leftoversIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(old|next|making)/.test(name));

const bytesBelow = (dir: string): Buffer =>
  Buffer.concat(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );

describe('a rotation', () => {
  it("of the installation's keys changes the root key and every store, and no resource's key or content", async () => {
    const started = await startWithNotes();
    const { dir, root, rotation, keyRing } = started;
    const before = await contentOf(started);
    const oldRoot = new Secret(Uint8Array.from(root.bytes.reveal()));
    const oldKey = await keyRing.find('stores/notes');
    const receipt = await rotation.ofInstallation();
    expect(receipt).toMatchObject({ rootGeneration: 2, stores: 2, backup: null });
    expect(await contentOf(started)).toEqual(before);
    expect(await keyRing.find('stores/notes')).not.toEqual(oldKey);
    expect(bytesBelow(dir).includes(Buffer.from(oldRoot.reveal()))).toBe(false);
    expect(leftoversIn(dir)).toEqual([]);
    await started.stop();
    running.pop();
    const other = { generation: 1, bytes: oldRoot };
    await expect(openKeyStore({ path: join(dir, 'keys', 'keys.db'), root: other })).rejects.toMatchObject({
      code: 'stores.wrong_key',
    });
    const again = await start(dir);
    expect(again.root.generation).toBe(2);
    expect(await contentOf(again)).toEqual(before);
  });

  it("of an account's keys changes its own key and those of all its files", async () => {
    const started = await startWithNotes();
    const before = await contentOf(started);
    const { file } = await started.databases.open(alice, 'sql', 'mine');
    const { file: known } = await started.bases.openOf(site);
    const codeKey = (await started.keyRing.find(code)) ?? new Uint8Array();
    const rotated = await started.rotation.ofAccount(alice);
    expect(rotated).toMatchObject({ wraps: 4, databases: 1, knowledge: 1, code: 1 });
    expect(started.paused.size).toBe(0);
    await expect(openNotes(join(known.directory, 'vectors.db'), known.key)).rejects.toMatchObject({
      code: 'stores.wrong_key',
    });
    await expect(openFile(join(started.dir, 'blobs', code), codeKey, code)).rejects.toMatchObject({
      code: 'keys.blob_corrupt',
    });
    await expect(openNotes(join(file.directory, 'data.db'), file.key)).rejects.toMatchObject({
      code: 'stores.wrong_key',
    });
    expect(await contentOf(started)).toEqual(before);
    await started.stop();
    running.pop();
    expect(await contentOf(await start(started.dir))).toEqual(before);
  });

  it("of an account's keys leaves damaged code to tell so, and goes on", async () => {
    const { rotation, blobs, dir } = await startWithNotes();
    const damaged = codeBlob(newId<FunctionId>('fn'), 1);
    await blobs.put(damaged, alice.accountId, Buffer.from('export default 2'));
    truncateSync(join(dir, 'blobs', damaged), 40);
    expect(await rotation.ofAccount(alice)).toMatchObject({ knowledge: 1, code: 1 });
    await expect(blobs.get(damaged)).rejects.toMatchObject({ code: 'keys.blob_corrupt' });
    expect(Buffer.from(await blobs.get(code)).toString()).toBe('export default 1');
  });

  it('lets those who read and write meanwhile wait, and loses nothing of theirs', async () => {
    const started = await startWithNotes();
    const { notes, keyRing, databases, bases, blobs, rotation } = started;
    const texts = Array.from({ length: 40 }, (_, at) => `note ${at}`);
    const rotating = rotation.ofInstallation().then(() => rotation.ofAccount(alice));
    await Promise.all([
      ...texts.map(async (text) => await notes.db.insertInto('note').values({ text }).execute()),
      ...texts.map(async (_, at) => await keyRing.obtain(`later/${at}`, alice.accountId)),
      ...texts.map(async () => await databases.open(alice, 'sql', 'mine')),
      ...texts.map(async () => await bases.openOf(site)),
      ...texts.map(async () => await blobs.get(code)),
    ]);
    await rotating;
    const rows = await notes.db.selectFrom('note').select('text').execute();
    expect(rows.map(({ text }) => text).toSorted()).toEqual([...texts, 'kept'].toSorted());
  });

  it('that fails leaves everything as it was, and can be tried again', async () => {
    const started = await startWithNotes();
    const before = await contentOf(started);
    const { rotation } = started;
    let failures = 0;
    for (const rotate of [() => rotation.ofInstallation(), () => rotation.ofAccount(alice)]) {
      for (let failing = 0; failing < 70; failing += 7) {
        let left = failing;
        steps.tell = () => {
          if (left-- !== 0) return;
          steps.tell = undefined;
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        };
        // What comes after the decision is tried again at once.
        await rotate().catch(() => failures++);
        steps.tell = undefined;
        expect(await contentOf(started), `step ${failing}`).toEqual(before);
        expect(leftoversIn(started.dir)).toEqual([]);
      }
    }
    expect(failures).toBeGreaterThan(4);
    await rotateAll(started);
    expect(await contentOf(started)).toEqual(before);
  });

  it('is finished or undone by the next start, wherever the end of the process meets it', async () => {
    const started = await startWithNotes();
    const before = await contentOf(started);
    const crashes: string[] = [];
    steps.tell = () => {
      const home = newHome();
      cpSync(started.dir, home, { recursive: true });
      crashes.push(home);
    };
    await rotateAll(started);
    steps.tell = undefined;
    expect(crashes.length).toBeGreaterThan(80);
    for (const home of crashes) {
      const next = await start(home);
      expect(await contentOf(next)).toEqual(before);
      expect(leftoversIn(home)).toEqual([]);
      expect(existsSync(join(home, 'keys', 'root.key.next'))).toBe(false);
      await next.stop();
      running.pop();
      rmSync(home, { recursive: true });
      homes.splice(homes.indexOf(home), 1);
    }
  }, 60_000);
});

async function rotateAll({ rotation }: Started): Promise<void> {
  await rotation.ofInstallation();
  await rotation.ofAccount(alice);
}
