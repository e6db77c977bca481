import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFile } from '../keys/sealed-blob.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { Principal } from '../accounts/principal.ts';
import { readKeyBackup, ringOf } from './key-backup.ts';
import { createRig, NOW, readNotes, type Installation, type Rig, writeNotes } from './testing/rig.ts';

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

async function owner(): Promise<Principal> {
  const principal = await installation.accounts.authenticateKey(installation.owner.apiKey);
  if (principal === undefined) throw new Error('no owner');
  return principal;
}

async function second(): Promise<Principal> {
  const { apiKey } = await installation.accounts.createKey(installation.owner.holder);
  const principal = await installation.accounts.authenticateKey(apiKey.reveal());
  if (principal === undefined) throw new Error('no second');
  return principal;
}

async function approved(
  generation: number,
): Promise<{ request: Awaited<ReturnType<Installation['backups']['requestRestore']>>['id'] }> {
  const { id } = await installation.backups.requestRestore(await owner(), {
    generation,
    reason: 'the disk broke',
  });
  await installation.backups.approveRestore(await second(), id);
  return { request: id };
}

async function reopen(): Promise<void> {
  await installation.close();
  installation = await rig.open();
}

const findingsOf = async (generation?: number): Promise<string[]> => {
  const { findings } = await installation.backups.verify(null, {
    share: 1,
    ...(generation !== undefined && { generation }),
  });
  return findings.map(({ code }) => code);
};

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
    expect(await findingsOf()).toEqual([]);
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
    const order = await approved(1);
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
    expect(await findingsOf(1)).toEqual([]);
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
    await installation.accounts.revokeKey(await owner(), revoked.info.id);
    const order = await approved(1);
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
    const { account } = await installation.accounts.create(await owner(), {
      name: 'Eve',
      email: 'eve@example.org',
    });
    await installation.blobs.put('code/fn-9', account.id, Buffer.from('code'));
    await installation.backups.make(null);
    await installation.keyRing.destroyAccount(account.id);
    const order = await approved(1);
    await installation.close();
    await rig.restore(order);
    installation = await rig.open();
    expect((await installation.accounts.list(await owner())).map(({ name }) => name)).toEqual(['Owner']);
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

describe('verification', () => {
  const blobOf = (path: string, generation = 1): string => {
    const { files } = JSON.parse(
      readFileSync(join(rig.target, `generation-${generation}/files.json`), 'utf8'),
    ) as { files: { path: string; sha256: string }[] };
    return join(rig.target, 'blobs', files.find((file) => file.path === path)?.sha256 ?? 'none');
  };

  beforeEach(async () => {
    await writeNotes(installation, 'notes', ['one']);
    await installation.backups.make(null);
    await writeNotes(installation, 'notes', ['two']);
    await installation.backups.make(null);
  });

  it('finds nothing wrong with what is well', async () => {
    const { findings, files, stores } = await installation.backups.verify(null, { share: 1 });
    expect(findings).toEqual([]);
    expect(files).toBeGreaterThan(6);
    expect(stores).toBeGreaterThanOrEqual(3);
  });

  it.each([0, 100, 5000])('finds one bit flipped at byte %i', async (at) => {
    const path = blobOf('accounts/accounts.db');
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
    writeFileSync(path, bytes);
    expect(await findingsOf(1)).toContain('file');
  });

  it('finds a file that was cut, exchanged or taken away', async () => {
    truncateSync(blobOf('accounts/accounts.db'), 4096);
    expect(await findingsOf(1)).toContain('file');
    writeFileSync(blobOf('accounts/accounts.db'), readFileSync(blobOf('databases/databases.db')));
    expect(await findingsOf(1)).toContain('file');
    rmSync(blobOf('accounts/accounts.db'));
    expect(await findingsOf(1)).toContain('file');
  });

  it('finds a tenant that does not come back', async () => {
    rmSync(blobOf('backups/tenant/store.db'));
    const { findings } = await installation.backups.verify(null, { generation: 1, share: 0 });
    expect(findings).toContainEqual({ code: 'tenant', path: null });
  });

  it('finds a generation that is missing, forged, or another', async () => {
    const manifest = (generation: number): string =>
      join(rig.target, `generation-${generation}/manifest.jws`);
    const signed = readFileSync(manifest(2), 'utf8');
    writeFileSync(manifest(2), signed.slice(0, -4) + (signed.endsWith('AAAA') ? 'BBBB' : 'AAAA'));
    expect(await findingsOf(2)).toContain('manifest');
    cpSync(join(rig.target, 'generation-1'), join(rig.target, 'generation-2'), { recursive: true });
    expect(await findingsOf(2)).toContain('manifest');
    rmSync(join(rig.target, 'generation-2'), { recursive: true });
    expect(await findingsOf(2)).toContain('manifest');
    expect((await installation.backups.list(null)).map(({ isPresent }) => isPresent)).toEqual([true, false]);
  });

  it('finds a target that was put back to an earlier state', async () => {
    const earlier = rig.snapshot();
    await installation.backups.make(null);
    rmSync(rig.target, { recursive: true });
    cpSync(earlier.target, rig.target, { recursive: true });
    expect(await findingsOf()).toEqual(['manifest']);
  });

  it('finds another list under a good signature of another time', async () => {
    const earlier = rig.snapshot();
    await installation.close();
    // The same installation, whose clock and number were brought back, signs a second generation 3.
    installation = await rig.open({ dataDir: earlier.dataDir });
    await installation.backups.make(null);
    await installation.close();
    const folder = join(rig.target, 'generation-3');
    cpSync(folder, join(rig.target, 'other'), { recursive: true });
    rmSync(folder, { recursive: true });
    installation = await rig.open();
    rig.clock.wall += 1000;
    await installation.backups.make(null);
    cpSync(join(rig.target, 'other'), folder, { recursive: true });
    expect(await findingsOf(3)).toContain('exchanged');
  });

  it('finds keys that cannot be brought back', async () => {
    rmSync(join(rig.keysTarget, 'keys.jfk'));
    expect(await findingsOf()).toContain('keys');
  });

  it('is told of in the log, with what it found', async () => {
    rmSync(blobOf('accounts/accounts.db'));
    await findingsOf(1);
    const { entries } = await installation.backups.log();
    expect(entries.at(-1)).toMatchObject({ event: 'verified', generation: 1, outcome: 'file-1' });
  });

  it('a restore of what is damaged changes nothing', async () => {
    rmSync(blobOf('accounts/accounts.db'));
    const order = await approved(1);
    await installation.close();
    await expect(rig.restore(order)).rejects.toMatchObject({ code: 'backups.damaged' });
    installation = await rig.open();
    expect(await readNotes(installation, 'notes')).toEqual(['one', 'two']);
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
    expect(await findingsOf(1)).toEqual([]);
  });
});

describe('a restore', () => {
  beforeEach(async () => {
    await installation.backups.make(null);
  });

  it('takes two people', async () => {
    const asking = await owner();
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
    const order = await approved(1);
    await installation.close();
    rig.clock.wall += DAY_MS + 1;
    await expect(rig.restore(order)).rejects.toMatchObject({ code: 'backups.not_approved' });
    rig.clock.wall -= DAY_MS;
    await rig.restore(order);
    await expect(rig.restore(order)).rejects.toMatchObject({ code: 'backups.not_approved' });
    installation = await rig.open();
  });

  it('of a generation that is not there cannot be asked for', async () => {
    const asking = await owner();
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
