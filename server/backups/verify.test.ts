import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  approvedRestore,
  createRig,
  findingsOf,
  type Installation,
  readNotes,
  type Rig,
  writeNotes,
} from './testing/rig.ts';

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
    expect(await findingsOf(installation, 1)).toContain('file');
  });

  it('finds a file that was cut, exchanged or taken away', async () => {
    truncateSync(blobOf('accounts/accounts.db'), 4096);
    expect(await findingsOf(installation, 1)).toContain('file');
    writeFileSync(blobOf('accounts/accounts.db'), readFileSync(blobOf('databases/databases.db')));
    expect(await findingsOf(installation, 1)).toContain('file');
    rmSync(blobOf('accounts/accounts.db'));
    expect(await findingsOf(installation, 1)).toContain('file');
  });

  it('has what is damaged put anew by the next backup', async () => {
    const path = blobOf('databases/databases.db', 2);
    writeFileSync(
      path,
      readFileSync(path).map((byte) => byte ^ 1),
    );
    expect(await findingsOf(installation, 2)).toContain('file');
    await installation.backups.make(null);
    expect(await findingsOf(installation, 2)).toEqual([]);
    expect(await findingsOf(installation, 3)).toEqual([]);
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
    expect(await findingsOf(installation, 2)).toContain('manifest');
    cpSync(join(rig.target, 'generation-1'), join(rig.target, 'generation-2'), { recursive: true });
    expect(await findingsOf(installation, 2)).toContain('manifest');
    rmSync(join(rig.target, 'generation-2'), { recursive: true });
    expect(await findingsOf(installation, 2)).toContain('manifest');
    expect((await installation.backups.list(null)).map(({ isPresent }) => isPresent)).toEqual([true, false]);
  });

  it('finds a target that was put back to an earlier state', async () => {
    const earlier = rig.snapshot();
    await installation.backups.make(null);
    rmSync(rig.target, { recursive: true });
    cpSync(earlier.target, rig.target, { recursive: true });
    expect(await findingsOf(installation)).toEqual(['manifest']);
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
    expect(await findingsOf(installation, 3)).toContain('exchanged');
  });

  it('finds keys that cannot be brought back', async () => {
    rmSync(join(rig.keysTarget, 'keys.jfk'));
    expect(await findingsOf(installation)).toContain('keys');
  });

  it('is told of in the log, with what it found', async () => {
    rmSync(blobOf('accounts/accounts.db'));
    await findingsOf(installation, 1);
    const { entries } = await installation.backups.log();
    expect(entries.at(-1)).toMatchObject({ event: 'verified', generation: 1, outcome: 'file-1' });
  });

  it('a restore of what is damaged changes nothing', async () => {
    rmSync(blobOf('accounts/accounts.db'));
    const order = await approvedRestore(installation, 1);
    await installation.close();
    await expect(rig.restore(order)).rejects.toMatchObject({ code: 'backups.damaged' });
    installation = await rig.open();
    expect(await readNotes(installation, 'notes')).toEqual(['one', 'two']);
  });
});
