import { describe, expect, it } from 'vitest';
import {
  type ServiceRig,
  askerOf,
  documentOf,
  passagesOf,
  startService,
  uploaded,
} from './testing/service-rig.ts';
import type { UploadProgress } from './vectors.ts';

const alice = askerOf('alice');
const bob = askerOf('bob');
const PUMPS = 'The red valve stops the pump.\n\nFans need no care.\n\nFilters are changed in spring.';

const code = (error: string): { code: string } => expect.objectContaining({ code: error });

async function withManuals(...limits: Parameters<typeof startService>): Promise<ServiceRig> {
  const rig = await startService(...limits);
  for (const { holder } of [alice, bob])
    await rig.vectors.create(holder, { name: 'manuals', kind: 'sealed', metric: 'cosine' });
  return rig;
}

const documentsOf = ({ vectors }: ServiceRig): ReturnType<ServiceRig['vectors']['documents']> =>
  vectors.documents(alice.holder, 'manuals', { limit: 10 });

/** Holds embedding up; resolves `reached` when it waits. */
function holdEmbedding(rig: ServiceRig): { reached: Promise<void>; go: () => void } {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  rig.beforeEmbedding = () => {
    reached.resolve();
    return go.promise;
  };
  return { reached: reached.promise, go: go.resolve };
}

describe('an upload', () => {
  it('becomes passages that point at their places', async () => {
    const rig = await withManuals();
    expect(await uploaded(rig, alice, documentOf(PUMPS, { metadata: { year: 2026 } }))).toMatchObject({
      status: 'completed',
      pages: 3,
      pagesDone: 3,
      passages: 3,
      embedded: 3,
      error: null,
    });
    const { hits } = await rig.vectors.query(alice, 'manuals', { text: 'red valve', topK: 1 });
    const [hit] = hits;
    expect(hit?.metadata).toEqual({ year: 2026 });
    expect(PUMPS.slice(hit?.span?.start, hit?.span?.end)).toBe(hit?.text);
  });

  it('tells its states in order, to whoever watches from the start', async () => {
    const rig = await withManuals();
    const { reached, go } = holdEmbedding(rig);
    const { uploadId } = await rig.vectors.upload(alice, 'manuals', documentOf(PUMPS));
    await reached;
    expect(await rig.vectors.uploadState(alice.holder, uploadId)).toMatchObject({ status: 'embedding' });
    const seen: UploadProgress['status'][] = [];
    go();
    for await (const { status } of rig.vectors.watchUpload(alice.holder, uploadId, alice.signal))
      seen.push(status);
    expect([...new Set(seen)]).toEqual(['embedding', 'completed']);
  });

  it('of the same name, bytes or id replaces the document, and embeds only what is new', async () => {
    const rig = await withManuals();
    const changed = PUMPS.replace('Fans need no care.', 'Fans are oiled.');
    for (const document of [{}, { fileName: undefined }, { documentId: 'mine' }]) {
      const first = await uploaded(rig, alice, documentOf(PUMPS, document));
      rig.embedded.length = 0;
      const same = document.fileName === undefined && 'fileName' in document ? PUMPS : changed;
      const second = await uploaded(rig, alice, documentOf(same, document));
      expect(second.documentId).toBe(first.documentId);
      expect(rig.embedded).toEqual(same === PUMPS ? [] : ['Fans are oiled.']);
      await rig.vectors.deleteDocument(alice, 'manuals', first.documentId);
    }
    expect(await documentsOf(rig)).toEqual([]);
  });

  it('shows its name nowhere, and the same name differently in another database', async () => {
    const rig = await withManuals();
    const mine = await uploaded(rig, alice, documentOf(PUMPS, { fileName: 'CANARY-divorce.txt' }));
    const theirs = await uploaded(rig, bob, documentOf(PUMPS, { fileName: 'CANARY-divorce.txt' }));
    expect(JSON.stringify([mine, await documentsOf(rig)])).not.toContain('CANARY');
    expect(theirs.documentId).not.toBe(mine.documentId);
  });

  it('that cannot be read leaves the document as it was', async () => {
    const rig = await withManuals();
    await uploaded(rig, alice, documentOf(PUMPS, { documentId: 'mine' }));
    const broken = await uploaded(rig, alice, documentOf(`New.\n\nDAMAGED`, { documentId: 'mine' }));
    expect(broken).toMatchObject({ status: 'failed', error: { code: 'documents.damaged' } });
    expect(await documentsOf(rig)).toMatchObject([{ documentId: 'mine', passages: 3 }]);
  });

  it('is refused while it arrives when it is too large or its client leaves', async () => {
    const rig = await withManuals({ documentBytesMax: 40 });
    const tooLarge = rig.vectors.upload(alice, 'manuals', documentOf(PUMPS));
    await expect(tooLarge).rejects.toEqual(code('vectors.document_too_large'));
    const leaving = new AbortController();
    async function* cut(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('The');
      leaving.abort();
      throw new Error('gone');
    }
    const asker = { ...alice, signal: leaving.signal };
    const left = rig.vectors.upload(asker, 'manuals', documentOf('', { content: cut() }));
    await expect(left).rejects.toEqual(code('vectors.cancelled'));
    expect(await documentsOf(rig)).toEqual([]);
  });

  it('of another account is not there', async () => {
    const rig = await withManuals();
    const { uploadId } = await uploaded(rig, alice, documentOf(PUMPS));
    for (const id of [uploadId, 'upl_nonsense', ''])
      await expect(rig.vectors.uploadState(bob.holder, id)).rejects.toEqual(code('upload.not_found'));
    const watching = rig.vectors.watchUpload(bob.holder, uploadId, bob.signal)[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toEqual(code('upload.not_found'));
    await expect(rig.vectors.cancelUpload(bob.holder, uploadId)).rejects.toEqual(code('upload.not_found'));
  });
});

describe('a running upload', () => {
  it('can be called off', async () => {
    const rig = await withManuals();
    const { reached, go } = holdEmbedding(rig);
    const { uploadId } = await rig.vectors.upload(alice, 'manuals', documentOf(PUMPS));
    await reached;
    const cancelled = rig.vectors.cancelUpload(alice.holder, uploadId);
    go();
    expect(await cancelled).toBe(true);
    const state = await rig.vectors.uploadState(alice.holder, uploadId);
    expect(state).toMatchObject({ status: 'failed', error: { code: 'vectors.upload_cancelled' } });
    expect(await rig.vectors.cancelUpload(alice.holder, uploadId)).toBe(false);
    expect(await documentsOf(rig)).toEqual([]);
  });

  it('ends with its document and with its database', async () => {
    const rig = await withManuals();
    for (const end of [
      () => rig.vectors.deleteDocument(alice, 'manuals', 'mine'),
      () => rig.vectors.drop(alice.holder, 'manuals'),
    ]) {
      const { reached, go } = holdEmbedding(rig);
      await rig.vectors.upload(alice, 'manuals', documentOf(PUMPS, { documentId: 'mine' }));
      await reached;
      const ended = end();
      go();
      await ended;
      expect(rig.records.at(-1)).toMatchObject({ ok: expect.any(Boolean) });
    }
    await expect(documentsOf(rig)).rejects.toEqual(code('database.not_found'));
  });

  it('that a restart interrupts is told so, and goes on where it was when it is sent again', async () => {
    const rig = await withManuals();
    // The first batch is kept, the second never comes.
    const second = Promise.withResolvers<void>();
    let batches = 0;
    rig.beforeEmbedding = async () => {
      if (++batches < 2) return;
      second.resolve();
      await new Promise(() => undefined);
    };
    const { uploadId } = await rig.vectors.upload(alice, 'manuals', documentOf(PUMPS));
    await second.promise;
    const restarted = await rig.restart();
    expect(await restarted.vectors.uploadState(alice.holder, uploadId)).toMatchObject({
      status: 'interrupted',
      error: { code: 'vectors.interrupted' },
    });
    expect(await documentsOf(restarted)).toEqual([]);
    expect((await uploaded(restarted, alice, documentOf(PUMPS))).status).toBe('completed');
    expect(restarted.embedded).toEqual(
      passagesOf(PUMPS)
        .slice(2)
        .map(({ text }) => text),
    );
  });

  it('that ended is still known after a restart', async () => {
    const rig = await withManuals();
    const done = await uploaded(rig, alice, documentOf(PUMPS));
    const failed = await uploaded(rig, alice, documentOf('DAMAGED', { documentId: 'other' }));
    const { vectors } = await rig.restart();
    expect(await vectors.uploadState(alice.holder, done.uploadId)).toMatchObject({
      status: 'completed',
      passages: 3,
    });
    expect(await vectors.uploadState(alice.holder, failed.uploadId)).toMatchObject({
      status: 'failed',
      error: { code: 'documents.damaged' },
    });
    await expect(vectors.uploadState(bob.holder, done.uploadId)).rejects.toEqual(code('upload.not_found'));
  });
});

describe('uploads that wait', () => {
  it('are bounded for each account', async () => {
    const rig = await withManuals({ uploadsPerAccountMax: 2 });
    const { go } = holdEmbedding(rig);
    const send = (documentId: string, asker = alice): ReturnType<typeof rig.vectors.upload> =>
      rig.vectors.upload(asker, 'manuals', documentOf(PUMPS, { documentId }));
    await send('a');
    await send('b');
    await expect(send('c')).rejects.toEqual(code('vectors.too_many_uploads'));
    await send('a', bob);
    go();
  });

  it('do not keep another account waiting', async () => {
    const rig = await withManuals({ uploadsAtOnceMax: 1 });
    const { reached, go } = holdEmbedding(rig);
    const send = async (documentId: string, asker = alice): Promise<string> =>
      (await rig.vectors.upload(asker, 'manuals', documentOf(PUMPS, { documentId }))).uploadId;
    await send('a');
    await reached;
    const mine = await send('b');
    const theirs = await send('c', bob);
    expect(await rig.vectors.uploadState(alice.holder, mine)).toMatchObject({ status: 'queued' });
    const order: string[] = [];
    const ended = async (uploadId: string, { holder, signal } = alice): Promise<void> => {
      for await (const _ of rig.vectors.watchUpload(holder, uploadId, signal));
      order.push(uploadId);
    };
    const all = [ended(mine), ended(theirs, bob)];
    go();
    await Promise.all(all);
    expect(order).toEqual([theirs, mine]);
  });
});

describe('text', () => {
  it('is extracted for its owner', async () => {
    const { vectors } = await withManuals();
    expect(await vectors.extract(alice, documentOf(PUMPS))).toBe(PUMPS);
  });
});
