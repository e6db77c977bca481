import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type S3Server, startS3Server } from '../../testkit/s3-server.ts';
import { Secret } from '../kernel/secret.ts';
import { createS3Target } from './s3-target.ts';
import type { BackupTarget } from './target.ts';

const SECRET = 'the secret of the bucket';

let store: S3Server;
let target: BackupTarget;

beforeEach(async () => {
  store = await startS3Server(SECRET);
  target = targetWith(SECRET);
});
afterEach(() => store.close());

function targetWith(secret: string): BackupTarget {
  return createS3Target({
    bucket: 'backups',
    prefix: 'jellyfaas/',
    endpoint: store.url,
    region: 'us-east-1',
    accessKeyId: 'key',
    secretAccessKey: new Secret(secret),
  });
}

async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece;
}

describe('a bucket as a backup target', () => {
  it.each([
    ['nothing', []],
    ['little', [Buffer.from('a'), Buffer.from('b')]],
    ['more than a part', [randomBytes(9 << 20), randomBytes(9 << 20), Buffer.from('end')]],
  ])('gives back %s as it was put', async (_, pieces) => {
    await target.put('blobs/one', piecesOf(...pieces));
    expect(await target.has('blobs/one')).toBe(true);
    expect((await buffer(target.get('blobs/one'))).equals(Buffer.concat(pieces))).toBe(true);
    expect([...store.objects.keys()]).toEqual(['backups/jellyfaas/blobs/one']);
    expect(store.openUploads.size).toBe(0);
  });

  it('lists names directly below a folder, over many pages', async () => {
    const names = ['blobs/a', 'blobs/b', 'blobs/c', 'generation-1/files.json', 'generation-1/manifest.jws'];
    for (const name of names) await target.put(name, piecesOf(Buffer.from('x')));
    expect(await target.list('blobs')).toEqual(['a', 'b', 'c']);
    expect(await target.list('.')).toEqual(['blobs', 'generation-1']);
    expect(await target.list('gone')).toEqual([]);
    await target.remove('generation-1');
    await target.remove('generation-1');
    await target.remove('blobs/a');
    expect(await target.list('generation-1')).toEqual([]);
    expect(await target.list('blobs')).toEqual(['b', 'c']);
  });

  it('has nothing of a file whose source fails, and sweeps what a crash left', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield randomBytes(20 << 20);
      throw new Error('the file changed');
    }
    await expect(target.put('blobs/one', failing())).rejects.toThrow('the file changed');
    expect(await target.has('blobs/one')).toBe(false);
    expect(store.openUploads.size).toBe(0);
    store.openUploads.set('99 backups/jellyfaas/blobs/two', new Map());
    await target.sweep();
    expect(store.openUploads.size).toBe(0);
  });

  it('says what is wrong by code, and never the secret', async () => {
    await expect(buffer(target.get('blobs/gone'))).rejects.toMatchObject({ code: 'backups.damaged' });
    const refused = await targetWith('another')
      .list('blobs')
      .catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'backups.target_unusable' });
    expect(String(refused)).toContain('SignatureDoesNotMatch');
    expect(String(refused)).not.toContain('another');
    store.fault = (method) => (method === 'PUT' ? [507, 'XMinioStorageFull'] : undefined);
    await expect(target.put('blobs/one', piecesOf(Buffer.from('x')))).rejects.toMatchObject({
      code: 'backups.target_full',
    });
    await store.close();
    await expect(target.has('blobs/one')).rejects.toMatchObject({ code: 'backups.target_unusable' });
    store = await startS3Server(SECRET);
  });

  it('refuses a path that leads out of its prefix', async () => {
    await expect(target.has('../others')).rejects.toThrow('bad path');
  });
});
