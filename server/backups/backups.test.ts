import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountId } from '../kernel/ids.ts';
import { openFile } from '../keys/sealed-blob.ts';
import { readKeyBackup, ringOf } from './key-backup.ts';
import {
  approvedRestore,
  createRig,
  findingsOf,
  type Installation,
  NOW,
  ownerOf,
  readNotes,
  type Rig,
  writeNotes,
} from './testing/rig.ts';

const DAY_MS = 86_400_000;
const CANARY = 'canary-3f9ad6c1e0b2';

let rig: Rig;
let installation: Installation;

beforeEach(async () => {
  rig = createRig();
  installation = await rig.open();
});
afterEach(async () => {
  await installation.close();
  rig.remove();
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

async function reopen(): Promise<void> {
  await installation.close();
  installation = await rig.open();
}

describe('a generation', () => {
  it('holds no key and not a word of anybody', async () => {
    await writeNotes(installation, 'notes', [CANARY]);
    await installation.blobs.put('code/fn-1', 'acct_00000000000000000000' as AccountId, Buffer.from(CANARY));
    await installation.backups.make(null);
    const files = filesBelow(rig.target);
    expect(files.length).toBeGreaterThan(8);
    for (const path of [...files, ...filesBelow(rig.keysTarget)]) {
      const content = readFileSync(path);
      expect(content.includes(CANARY), path).toBe(false);
      expect(content.includes('SQLite format 3'), path).toBe(false);
    }
    const listed = readFileSync(join(rig.target, 'generation-1/files.json'), 'utf8');
    expect(listed).not.toContain('keys/');
  });

  it('costs no more than what has changed', async () => {
    await writeNotes(installation, 'notes', [CANARY.repeat(50_000)]);
    const first = await installation.backups.make(null);
    const again = await installation.backups.make(null);
    expect(first.newBytes).toBe(first.bytes);
    expect(again.newBytes).toBeLessThan(first.bytes / 4);
    expect(await findingsOf(installation)).toEqual([]);
  });

  it('is not made of a file that is not encrypted', async () => {
    writeFileSync(join(rig.dataDir, 'accounts', 'other.db'), 'SQLite format 3\0 and more');
    await expect(installation.backups.make(null)).rejects.toMatchObject({ code: 'backups.plaintext' });
    expect(await installation.backups.list(null)).toEqual([]);
  });

  it('comes back as it was, byte for byte in what it says', async () => {
    await writeNotes(installation, 'notes', ['one', 'two']);
    await installation.blobs.put('code/fn-1', 'acct_00000000000000000000' as AccountId, Buffer.from('code'));
    await installation.backups.make(null);
    await writeNotes(installation, 'notes', ['three']);
    const order = await approvedRestore(installation, 1);
    await installation.close();
    const { receipt } = await rig.restore(order);
    installation = await rig.open();
    expect(receipt.split('.')).toHaveLength(3);
    expect(await readNotes(installation, 'notes')).toEqual(['one', 'two']);
    expect(Buffer.from(await installation.blobs.get('code/fn-1')).toString()).toBe('code');
    const [done] = await installation.backups.restores();
    expect(done).toMatchObject({ receipt, executedAt: NOW });
    const { entries, isIntact } = await installation.backups.log();
    expect(isIntact).toBe(true);
    expect(entries.map(({ event }) => event)).toEqual([
      'made',
      'restore-requested',
      'restore-approved',
      'restored',
    ]);
  });

  it('comes back where everything was lost but the root key', async () => {
    await writeNotes(installation, 'notes', ['one']);
    await installation.backups.make(null);
    await installation.close();
    rmSync(rig.dataDir, { recursive: true });
    await rig.restore({ generation: 1, reason: 'the machine burnt' });
    installation = await rig.open();
    expect(await readNotes(installation, 'notes')).toEqual(['one']);
    expect(await findingsOf(installation, 1)).toEqual([]);
    const { entries } = await installation.backups.log();
    expect(entries.at(-2)).toMatchObject({ event: 'restored', generation: 1, reason: 'the machine burnt' });
  });
});

describe('what was erased', () => {
  it('opens in no generation with all keys that are left', async () => {
    await writeNotes(installation, 'notes', [CANARY]);
    await installation.blobs.put('code/fn-1', 'acct_00000000000000000000' as AccountId, Buffer.from(CANARY));
    for (let i = 0; i < 3; i++) await installation.backups.make(null);
    const { file } = await installation.databases.open(installation.owner.holder, 'sql', 'notes');
    await installation.databases.drop(installation.owner.holder, 'sql', 'notes');
    await installation.blobs.remove('code/fn-1');

    const record = await readKeyBackup(rig.keysTarget, rig.root);
    const names = record.wraps.map(({ resource }) => resource);
    expect(names).not.toContain('code/fn-1');
    expect(names.some((name) => name.includes(file.id))).toBe(false);
    const left = ringOf(record, rig.root);
    const keys = await Promise.all(names.map((name) => left.find(name)));
    const blobs = filesBelow(join(rig.target, 'blobs'));
    for (const path of blobs.filter((one) => readFileSync(one).subarray(0, 4).toString() === 'JFB1')) {
      for (const key of keys) {
        await expect(openFile(path, key ?? Buffer.alloc(32), 'code/fn-1')).rejects.toMatchObject({
          code: 'keys.blob_corrupt',
        });
      }
    }
  });

  it('stays dead after a restore, whoever brought old keys back, too', async () => {
    await writeNotes(installation, 'gone', ['x']);
    await writeNotes(installation, 'kept', ['y']);
    const revoked = await installation.accounts.createKey(installation.owner.holder);
    await installation.backups.make(null);
    await installation.close();
    cpSync(join(rig.dataDir, 'keys'), join(rig.dataDir, '../old-keys'), { recursive: true });
    installation = await rig.open();
    await installation.databases.drop(installation.owner.holder, 'sql', 'gone');
    await installation.accounts.revokeKey(await ownerOf(installation), revoked.info.id);
    const order = await approvedRestore(installation, 1);
    await installation.close();
    rmSync(join(rig.dataDir, 'keys'), { recursive: true });
    cpSync(join(rig.dataDir, '../old-keys'), join(rig.dataDir, 'keys'), { recursive: true });
    await rig.restore(order);
    installation = await rig.open();
    const { databases, owner: own } = installation;
    expect((await databases.list(own.holder, 'sql')).map(({ name }) => name)).toEqual(['kept']);
    expect(await readNotes(installation, 'kept')).toEqual(['y']);
    expect(await installation.accounts.authenticateKey(revoked.apiKey.reveal())).toBeUndefined();
  });

  it('takes an erased account along', async () => {
    const { account } = await installation.accounts.create(await ownerOf(installation), {
      name: 'Eve',
      email: 'eve@example.org',
    });
    await installation.blobs.put('code/fn-9', account.id, Buffer.from('code'));
    await installation.backups.make(null);
    await installation.keyRing.destroyAccount(account.id);
    const order = await approvedRestore(installation, 1);
    await installation.close();
    await rig.restore(order);
    installation = await rig.open();
    expect((await installation.accounts.list(await ownerOf(installation))).map(({ name }) => name)).toEqual([
      'Owner',
    ]);
  });

  it('is said to be gone only when the backup of the keys has forgotten it', async () => {
    await writeNotes(installation, 'notes', ['x']);
    rmSync(rig.keysTarget, { recursive: true });
    writeFileSync(rig.keysTarget, 'in the way');
    const { databases, owner: own } = installation;
    await expect(databases.drop(own.holder, 'sql', 'notes')).rejects.toMatchObject({
      code: 'backups.keys_not_updated',
    });
    rmSync(rig.keysTarget);
    expect(await databases.drop(own.holder, 'sql', 'notes')).toHaveProperty('receipt');
  });
});

describe('retention', () => {
  const kept = async (): Promise<number[]> =>
    (await installation.backups.list(null)).map(({ generation }) => generation);

  it('keeps so many generations and no ciphertext of others', async () => {
    for (let i = 0; i < 8; i++) {
      rig.clock.wall += DAY_MS;
      await writeNotes(installation, 'notes', [`${i}`]);
      await installation.backups.make(null);
    }
    expect(await kept()).toEqual([4, 5, 6, 7, 8]);
    const used = new Set(
      [4, 5, 6, 7, 8].flatMap((number) =>
        (
          JSON.parse(readFileSync(join(rig.target, `generation-${number}/files.json`), 'utf8')) as {
            files: { sha256: string }[];
          }
        ).files.map(({ sha256 }) => sha256),
      ),
    );
    expect(readdirSync(join(rig.target, 'blobs')).toSorted()).toEqual([...used].toSorted());
  });

  it.each([
    ['on', 31],
    ['a century on', 36_500],
    ['back', -31],
    ['a century back', -20_000],
  ])('removes what is too old when the clock goes %s', async (_how, days) => {
    await installation.backups.make(null);
    await installation.backups.make(null);
    rig.clock.wall += days * DAY_MS;
    await installation.backups.make(null);
    expect(await kept()).toEqual([3]);
  });

  it('removes by number when the clock stands still', async () => {
    for (let i = 0; i < 7; i++) await installation.backups.make(null);
    expect(await kept()).toEqual([3, 4, 5, 6, 7]);
  });

  it('removes by age while no new generation can be made', async () => {
    await installation.backups.make(null);
    rig.clock.wall += 31 * DAY_MS;
    writeFileSync(join(rig.dataDir, 'accounts', 'other.db'), 'SQLite format 3\0 and more');
    await expect(installation.backups.make(null)).rejects.toMatchObject({ code: 'backups.plaintext' });
    expect(await kept()).toEqual([]);
  });

  it('says when the last ciphertext of what is dropped now is gone', async () => {
    await installation.backups.make(null);
    const until = await installation.backups.lastCopyUntil();
    rig.clock.wall = until + 1;
    await installation.backups.make(null);
    expect(await kept()).toEqual([2]);
  });

  it('leaves the generations of another installation alone', async () => {
    await installation.backups.make(null);
    const other = createRig();
    const neighbour = await other.open({ target: rig.target });
    await expect(neighbour.backups.make(null)).rejects.toMatchObject({ code: 'backups.target_unusable' });
    await neighbour.close();
    other.remove();
    expect(await findingsOf(installation, 1)).toEqual([]);
  });
});

describe('a restore', () => {
  beforeEach(async () => {
    await installation.backups.make(null);
  });

  it('takes two people', async () => {
    const asking = await ownerOf(installation);
    const { id } = await installation.backups.requestRestore(asking, {
      generation: 1,
      reason: 'a good reason',
    });
    await expect(installation.backups.approveRestore(asking, id)).rejects.toMatchObject({
      code: 'backups.same_person',
    });
    const { keyId: _keyId, ...session } = asking;
    await expect(installation.backups.approveRestore(session, id)).rejects.toMatchObject({
      code: 'backups.needs_key',
    });
    await installation.close();
    await expect(rig.restore({ request: id })).rejects.toMatchObject({ code: 'backups.not_approved' });
    await expect(rig.restore({ generation: 1, reason: 'no second person' })).rejects.toMatchObject({
      code: 'backups.not_approved',
    });
    installation = await rig.open();
  });

  it('is done once, and not after a day', async () => {
    const order = await approvedRestore(installation, 1);
    await installation.close();
    rig.clock.wall += DAY_MS + 1;
    await expect(rig.restore(order)).rejects.toMatchObject({ code: 'backups.not_approved' });
    rig.clock.wall -= DAY_MS;
    await rig.restore(order);
    await expect(rig.restore(order)).rejects.toMatchObject({ code: 'backups.not_approved' });
    installation = await rig.open();
  });

  it('of a generation that is not there cannot be asked for', async () => {
    const asking = await ownerOf(installation);
    await expect(
      installation.backups.requestRestore(asking, { generation: 7, reason: 'a good reason' }),
    ).rejects.toMatchObject({ code: 'generation.not_found' });
  });
});

describe('the schedule', () => {
  const tick = async (): Promise<void> => {
    for (const task of rig.due.splice(0)) task();
    await expect.poll(() => rig.due.length).toBe(1);
  };
  const made = async (): Promise<number> =>
    (await installation.backups.log()).entries.filter(({ event }) => event === 'made').length;

  it('makes one a day and checks it, whatever the clock on the wall does', async () => {
    await tick();
    expect(await made()).toBe(1);
    await tick();
    expect(await made()).toBe(1);
    rig.clock.steady += DAY_MS;
    await tick();
    expect(await made()).toBe(2);
    rig.clock.wall += DAY_MS;
    await tick();
    expect(await made()).toBe(3);
    const { entries } = await installation.backups.log();
    expect(entries.filter(({ event }) => event === 'verified').map(({ outcome }) => outcome)).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
  });

  it('goes on after a restart', async () => {
    await tick();
    await reopen();
    rig.due.splice(0, rig.due.length - 1);
    await tick();
    expect(await made()).toBeGreaterThanOrEqual(1);
  });
});
