import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { newId } from '../../kernel/ids.ts';
import { openVectorStore, type VectorStore } from '../../stores/vector-store.ts';
import { passage, startRig, uploadDocument } from './testing/rig.ts';
import type { StoredRecord, VectorEngine } from './vector-engine.ts';

const { engine, make } = startRig({}, afterAll);

const UPLOAD_GONE = expect.objectContaining({ code: 'vectors.upload_gone' });
const numbered = (word: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${word} number ${index}`);

async function textsOf(one: VectorEngine, file: Parameters<VectorEngine['search']>[0]): Promise<string[]> {
  const hits = await one.search(file, { vector: passage(0, '').vector, topK: 1000 });
  return hits.map(({ text }) => text ?? '').toSorted();
}

describe('a document', () => {
  it('is found by its passages, with their places', async () => {
    const file = await make();
    await uploadDocument(engine, file, { documentId: 'doc', texts: ['alpha text', 'beta text'] });
    const [hit] = await engine.search(file, { text: 'beta', topK: 5 });
    expect(hit).toMatchObject({
      id: 'doc#2',
      text: 'beta text',
      metadata: { kind: 'document' },
      span: { documentId: 'doc', start: 100, end: 109, page: 2, headings: ['Heading'] },
    });
    expect(await engine.describe(file)).toMatchObject({ documents: 1, records: 2 });
  });

  it('that comes again replaces its passages, and nothing else', async () => {
    const file = await make();
    await uploadDocument(engine, file, { documentId: 'other', texts: ['other text'] });
    await uploadDocument(engine, file, { documentId: 'doc', texts: numbered('old', 300) });
    await uploadDocument(engine, file, { documentId: 'doc', texts: ['new text'] });
    expect(await textsOf(engine, file)).toEqual(['new text', 'other text']);
    expect(await engine.search(file, { text: 'old', topK: 5 })).toEqual([]);
    expect(await engine.describe(file)).toMatchObject({ documents: 2, records: 2 });
  });

  it('is nowhere to be seen until it is complete, nor when it failed', async () => {
    const file = await make();
    await engine.beginDocument(file, { uploadId: 'upl', documentId: 'doc', metadata: {} });
    await engine.stage(file, 'upl', [passage(0, 'half')]);
    expect(await engine.search(file, { text: 'half', vector: passage(0, '').vector, topK: 5 })).toEqual([]);
    expect(await engine.upload(file, 'upl')).toEqual({
      uploadId: 'upl',
      documentId: 'doc',
      status: 'running',
      passages: 1,
      code: null,
    });
    await engine.failDocument(file, 'upl', 'documents.damaged');
    expect(await engine.upload(file, 'upl')).toMatchObject({
      status: 'failed',
      passages: 0,
      code: 'documents.damaged',
    });
    expect(await engine.knownVectors(file, ['half'])).toEqual([undefined]);
    await expect(engine.stage(file, 'upl', [passage(1, 'more')])).rejects.toEqual(UPLOAD_GONE);
    await expect(engine.finishDocument(file, 'upl')).rejects.toEqual(UPLOAD_GONE);
    expect(await engine.upload(file, 'unknown')).toBeUndefined();
  });

  it('may have no passages', async () => {
    const file = await make();
    await uploadDocument(engine, file, { documentId: 'doc', texts: [], uploadId: 'empty' });
    expect(await engine.upload(file, 'empty')).toMatchObject({ status: 'completed', passages: 0 });
    expect(await engine.documents(file, { limit: 5 })).toEqual([
      { documentId: 'doc', passages: 0, metadata: { kind: 'document' } },
    ]);
  });

  it('takes the ids of its passages from records that have them', async () => {
    const file = await make();
    await engine.upsert(file, [{ id: 'doc#1', vector: passage(9, '').vector, text: 'raw' }]);
    await uploadDocument(engine, file, { documentId: 'doc', texts: ['passage'] });
    expect(await textsOf(engine, file)).toEqual(['passage']);
    await engine.upsert(file, [{ id: 'doc#1', vector: passage(9, '').vector, text: 'raw' }]);
    expect(await textsOf(engine, file)).toEqual(['raw']);
    expect(await engine.deleteDocument(file, 'doc')).toBe(true);
    expect(await textsOf(engine, file)).toEqual(['raw']);
  });

  it('is deleted as a whole', async () => {
    const file = await make();
    await uploadDocument(engine, file, { documentId: 'doc', texts: numbered('old', 200) });
    await uploadDocument(engine, file, { documentId: 'other', texts: ['other'] });
    expect(await engine.deleteDocument(file, 'doc')).toBe(true);
    expect(await engine.deleteDocument(file, 'doc')).toBe(false);
    expect(await textsOf(engine, file)).toEqual(['other']);
  });

  it('is listed page by page', async () => {
    const file = await make();
    for (const name of ['c', 'a', 'b'])
      await uploadDocument(engine, file, { documentId: name, texts: numbered(name, 2) });
    const [first, second] = await engine.documents(file, { limit: 2 });
    expect([first?.documentId, second?.documentId]).toEqual(['a', 'b']);
    expect(await engine.documents(file, { after: 'b', limit: 2 })).toEqual([
      { documentId: 'c', passages: 2, metadata: { kind: 'document' } },
    ]);
  });
});

describe('an interrupted upload', () => {
  it('is told as such after a restart, does not go on, and leaves its vectors for the next one', async () => {
    const rig = startRig();
    const file = await rig.make({ kind: 'strict' });
    await rig.engine.beginDocument(file, { uploadId: 'upl', documentId: 'doc', metadata: {} });
    await rig.engine.stage(file, 'upl', [passage(3, 'kept')]);
    const restarted = await rig.restart();
    expect(await restarted.upload(file, 'upl')).toMatchObject({ status: 'interrupted', passages: 1 });
    await expect(restarted.finishDocument(file, 'upl')).rejects.toEqual(UPLOAD_GONE);
    expect(await restarted.knownVectors(file, ['kept', 'other'])).toEqual([passage(3, '').vector, undefined]);
    await uploadDocument(restarted, file, { documentId: 'doc', texts: ['kept'] });
    expect(await restarted.knownVectors(file, ['kept'])).toEqual([passage(0, '').vector]);
    expect(await restarted.describe(file)).toMatchObject({ records: 1 });
  });

  it('goes on when only the engine process was killed', async () => {
    const rig = startRig();
    const file = await rig.make();
    await rig.engine.beginDocument(file, { uploadId: 'upl', documentId: 'doc', metadata: {} });
    await rig.engine.stage(file, 'upl', [passage(0, 'one')]);
    rig.kill();
    await rig.engine
      .stage(file, 'upl', [passage(1, 'two')])
      .catch(() => rig.engine.stage(file, 'upl', [passage(1, 'two')]));
    expect(await rig.engine.finishDocument(file, 'upl')).toEqual({ passages: 2 });
  });

  it('is forgotten after a day, with all that it had staged', async () => {
    let now = 1_000_000_000_000;
    const rig = startRig({ clock: { now: () => now, monotonicMs: () => 0 } });
    const file = await rig.make();
    await rig.engine.beginDocument(file, { uploadId: 'old', documentId: 'doc', metadata: {} });
    await rig.engine.stage(file, 'old', [passage(0, 'kept')]);
    const restarted = await rig.restart();
    now += 23 * 60 * 60 * 1000;
    await restarted.beginDocument(file, { uploadId: 'next', documentId: 'doc', metadata: {} });
    expect(await restarted.upload(file, 'old')).toMatchObject({ status: 'interrupted' });
    now += 2 * 60 * 60 * 1000;
    await restarted.beginDocument(file, { uploadId: 'last', documentId: 'doc', metadata: {} });
    expect(await restarted.upload(file, 'old')).toBeUndefined();
    expect(await restarted.knownVectors(file, ['kept'])).toEqual([undefined]);
  });
});

describe('kill -9', () => {
  /** What a killed process leaves is what the files hold at that moment: they are copied between all steps. */
  it(
    'at more than 200 points of replacing a document leaves the old one or the new one, never half of either',
    { timeout: 120_000 },
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'vectors-kill-'));
      onTestFinished(() => rmSync(root, { recursive: true }));
      const key = new Uint8Array(32).fill(9);
      const path = join(root, 'live', 'vectors.db');
      const copies: { path: string; atLeast: number }[] = [];
      let acknowledged = 0;
      const pause = (): Promise<void> => {
        const copy = join(root, `${copies.length}`);
        cpSync(join(root, 'live'), copy, { recursive: true, filter: (name) => !name.endsWith('-shm') });
        copies.push({ path: join(copy, 'vectors.db'), atLeast: acknowledged });
        return Promise.resolve();
      };
      const store = await openVectorStore({ path, key, pause });
      await store.prepare({ kind: 'sealed', dimensions: 4, metric: 'cosine', model: null });
      const count = 130 * 8;
      for (let version = 1; version <= 9; version++) {
        await replaceDocument(store, { version, count, pause });
        acknowledged = version;
      }
      await store.close();
      expect(copies.length).toBeGreaterThan(200);
      for (const copy of copies) {
        const left = await openVectorStore({ path: copy.path, key, pause: () => Promise.resolve() });
        const versions = await left.hits(await left.matching({}));
        const texts = new Set([...versions.values()].map(({ text }) => text));
        await left.close();
        const isFirst = copy.atLeast === 0 && versions.size === 0;
        expect(isFirst || versions.size === count).toBe(true);
        expect(texts.size).toBeLessThanOrEqual(1);
        if (!isFirst)
          expect([`version${copy.atLeast}`, `version${copy.atLeast + 1}`]).toContain([...texts][0]);
      }
    },
  );

  async function replaceDocument(
    store: VectorStore,
    { version, count, pause }: { version: number; count: number; pause: () => Promise<void> },
  ): Promise<void> {
    const uploadId = newId('upl');
    const run = 'r'.repeat(32);
    await store.uploads.begin({ uploadId, documentId: 'doc', metadata: { version } }, { run, now: 0 });
    await pause();
    const row = {
      start: 0,
      end: 1,
      page: null,
      headings: [],
      text: `version${version}`,
      words: new Uint8Array(5).fill(1),
      textHash: new Uint8Array(32),
      vector: new Uint8Array(16).fill(1),
    };
    for (let staged = 0; staged < count; staged += 130) {
      await store.uploads.stage(
        uploadId,
        Array.from({ length: 130 }, () => row),
      );
      await pause();
    }
    const upload = await store.uploads.running(uploadId, run);
    if (upload === undefined) throw new Error('the upload is not running');
    await store.uploads.finish(upload, run);
  }

  it(
    'of the process at any moment leaves the old document or the new one',
    { timeout: 120_000 },
    async () => {
      const rig = startRig();
      const file = await rig.make();
      await uploadDocument(rig.engine, file, { documentId: 'doc', texts: numbered('round -1', 300) });
      let last = -1;
      for (let round = 0; round < 6; round++) {
        const running = uploadDocument(rig.engine, file, {
          documentId: 'doc',
          texts: numbered(`round ${round}`, 300),
        });
        const ended = running.then(
          () => (last = round),
          () => undefined,
        );
        await rig.engine.describe(file);
        for (let turn = 0; turn < round * 8; turn++) await new Promise(setImmediate);
        rig.kill();
        await ended;
        const texts = await textsOf(rig.engine, file);
        const possible = [last, round].map((one) => numbered(`round ${one}`, 300).toSorted());
        expect(possible).toContainEqual(texts);
        last = texts[0]?.startsWith(`round ${round} `) === true ? round : last;
      }
    },
  );
});

describe('everything that is in a database', () => {
  it('comes page by page, in its order, with vectors and places', async () => {
    const file = await make();
    await uploadDocument(engine, file, { documentId: 'doc', texts: numbered('part', 5) });
    const { vector } = passage(0, '');
    await engine.upsert(file, [{ id: 'own', vector, text: 'a record', metadata: { ok: true } }]);
    const found: StoredRecord[] = [];
    for (let after: number | null = 0; after !== null;) {
      const { records, next } = await engine.records(file, { after, limit: 2 });
      found.push(...records);
      after = next;
    }
    expect(found.map(({ id }) => id)).toEqual(['doc#1', 'doc#2', 'doc#3', 'doc#4', 'doc#5', 'own']);
    expect(found[0]).toMatchObject({ text: 'part number 0', span: { documentId: 'doc', start: 0 } });
    expect(found.at(-1)).toEqual({ id: 'own', text: 'a record', metadata: { ok: true }, span: null, vector });
  });
});
