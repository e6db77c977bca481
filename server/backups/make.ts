import type { Receipts } from '../keys/receipts.ts';
import type { MadeGeneration } from './backups.ts';
import type { BackupStore } from './backup-store.ts';
import { listContents } from './contents.ts';
import { backupErrors } from './errors.ts';
import { folderOf, putGeneration } from './generation.ts';
import type { KeyBackup } from './key-backup.ts';
import { blobPath, copyStill, type FileEntry } from './still-copy.ts';
import type { SyntheticTenant } from './synthetic-tenant.ts';
import type { BackupTarget } from './target.ts';

export interface MakeOptions {
  readonly dataDir: string;
  readonly target: BackupTarget;
  readonly store: BackupStore;
  readonly keys: KeyBackup;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly tenant: SyntheticTenant;
}

/** Files, then keys, then the signed list: the generation is there with its manifest, and was not before. */
export async function makeGeneration(options: MakeOptions, at: number): Promise<MadeGeneration> {
  const { dataDir, target, store, keys, receipts, tenant } = options;
  const generation = await store.begin(at);
  if (await target.has(`${folderOf(generation)}/manifest.jws`)) {
    throw backupErrors.targetUnusable('another installation writes to it');
  }
  await tenant.write(generation);
  const counting = countNew(target);
  const files: FileEntry[] = [];
  for await (const content of listContents(dataDir))
    files.push(...(await copyStill(dataDir, content, counting.target)));
  await keys.rewrite();
  const entries = await store.accesses();
  const log = Buffer.from(entries.at(-1)?.hash ?? []).toString('hex');
  const manifest = await putGeneration(target, receipts, { generation, at, log, files });
  await store.finish(generation, manifest);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const newBytes = files
    .filter(({ sha256 }) => counting.isNew(blobPath(sha256)))
    .reduce((sum, { size }) => sum + size, 0);
  return { generation, at, files: files.length, bytes, newBytes };
}

function countNew(target: BackupTarget): { target: BackupTarget; isNew: (path: string) => boolean } {
  const put = new Set<string>();
  return {
    target: {
      ...target,
      async put(path, bytes) {
        await target.put(path, bytes);
        put.add(path);
      },
    },
    isNew: (path) => put.has(path),
  };
}
