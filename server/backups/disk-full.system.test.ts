import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runTool } from '../sandbox/run-tool.ts';
import {
  approvedRestore,
  createRig,
  readNotes,
  type Installation,
  type Rig,
  writeNotes,
} from './testing/rig.ts';

/** A disk of 3 MiB in RAM, which fills up. */
let disk: string;
let rig: Rig;
let installation: Installation;

beforeEach(async () => {
  disk = mkdtempSync(join(tmpdir(), 'disk-full-'));
  await runTool('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
  rig = createRig();
});
afterEach(async () => {
  await installation.close();
  await runTool('umount', ['--lazy', disk]);
  rmSync(disk, { recursive: true });
  rig.remove();
});

function fill(leaveBytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
}

it('a full target is told, keeps the generations that it has, and takes the next when there is room', async () => {
  installation = await rig.open({ target: join(disk, 'target') });
  await writeNotes(installation, 'notes', ['one']);
  await installation.backups.make(null);
  await writeNotes(installation, 'notes', [randomBytes(300_000).toString('hex')]);
  fill(100_000);
  await expect(installation.backups.make(null)).rejects.toMatchObject({ code: 'backups.target_full' });
  const { entries } = await installation.backups.log();
  expect(entries.at(-1)).toMatchObject({ event: 'failed', outcome: 'backups.target_full' });
  expect((await installation.backups.list(null)).map(({ generation }) => generation)).toEqual([1]);
  expect((await installation.backups.verify(null, { share: 1 })).findings).toEqual([]);
  rmSync(join(disk, 'filler'));
  await installation.backups.make(null);
  expect((await installation.backups.verify(null, { share: 1 })).findings).toEqual([]);
});

it('a deletion is not acknowledged while the backup of the keys cannot forget the key', async () => {
  installation = await rig.open({ keysTarget: join(disk, 'keys') });
  await writeNotes(installation, 'notes', ['one']);
  await installation.backups.make(null);
  fill(0);
  const { databases, owner } = installation;
  await expect(databases.drop(owner.holder, 'sql', 'notes')).rejects.toMatchObject({
    code: 'backups.keys_not_updated',
  });
  rmSync(join(disk, 'filler'));
  expect(await databases.drop(owner.holder, 'sql', 'notes')).toHaveProperty('receipt');
});

it('a restore that finds no room changes nothing', async () => {
  const places = { dataDir: join(disk, 'data') };
  mkdirSync(places.dataDir);
  installation = await rig.open(places);
  await writeNotes(installation, 'notes', [randomBytes(200_000).toString('hex')]);
  await installation.backups.make(null);
  const order = await approvedRestore(installation, 1);
  await writeNotes(installation, 'notes', ['late']);
  await installation.close();
  fill(200_000);
  await expect(rig.restore(order, places)).rejects.toMatchObject({ code: 'backups.no_space' });
  rmSync(join(disk, 'filler'));
  installation = await rig.open(places);
  expect((await readNotes(installation, 'notes')).at(-1)).toBe('late');
});
