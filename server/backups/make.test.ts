import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createReceipts } from '../keys/receipts.ts';
import { openBackupStore } from '../stores/backup-store.ts';
import { readGeneration } from './generation.ts';
import { createKeyBackup, readKeyBackup } from './key-backup.ts';
import { makeGeneration } from './make.ts';
import { createDirectoryTarget } from './target.ts';
import { createRig, NOW } from './testing/rig.ts';

it('a generation has the keys of all that is in it, made while it was copied, too', async () => {
  const rig = createRig();
  const installation = await rig.open();
  const { keyRing, keyStore, blobs, owner } = installation;
  const store = await openBackupStore({ path: join(rig.dataDir, 'backups', 'backups.db'), keyRing });
  const receipts = await createReceipts(keyRing);
  const target = createDirectoryTarget(rig.target);
  let isFirst = true;
  const deploying = {
    ...target,
    async put(path: string, bytes: AsyncIterable<Uint8Array>) {
      if (isFirst) await blobs.put('code/fn-late', owner.id, Buffer.from('code'));
      isFirst = false;
      await target.put(path, bytes);
    },
  };
  const keys = createKeyBackup({ directory: rig.keysTarget, root: rig.root, store: keyStore });
  const tenant = { write: async () => undefined };
  const parts = { dataDir: rig.dataDir, target: deploying, store, keys, receipts, tenant };
  const { generation } = await makeGeneration(parts, NOW);

  const { files } = await readGeneration(target, receipts.publicKey, generation);
  const { wraps } = await readKeyBackup(rig.keysTarget, rig.root);
  expect(files.map(({ path }) => path)).toContain('blobs/code/fn-late');
  expect(wraps.map(({ resource }) => resource)).toContain('code/fn-late');
  await store.close();
  await installation.close();
  rig.remove();
});
