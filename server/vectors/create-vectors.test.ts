import { describe, expect, it } from 'vitest';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import { askerOf, documentOf, startService, uploaded, vectorOf } from './testing/service-rig.ts';
import type { Asker, NewVectorDatabase } from './vectors.ts';

/** The service over the real catalogue and engine. */
const alice = askerOf('alice');
const bob = askerOf('bob');

const MANUALS: NewVectorDatabase = { name: 'manuals', kind: 'sealed', metric: 'cosine' };
const PUMPS = 'The red valve stops the pump.\n\nFans need no care.\n\nFilters are changed in spring.';

const code = (error: string): { code: string } => expect.objectContaining({ code: error });

describe('a database', () => {
  it('takes dimensions and identity from its model, or dimensions from its owner', async () => {
    const { vectors } = await startService();
    const made = await vectors.create(alice.holder, MANUALS);
    expect(made).toMatchObject({ model: 'words@1', dimensions: 64, resolver: null });
    const raw = { ...MANUALS, name: 'raw', dimensions: 3 };
    expect(await vectors.create(alice.holder, raw)).toMatchObject({ model: null, dimensions: 3 });
    expect((await vectors.list(alice.holder)).map(({ name }) => name)).toEqual(['manuals', 'raw']);
    expect(await vectors.describe(alice.holder, 'raw')).toMatchObject({ ...raw, records: 0, index: 'exact' });
  });

  it('is not made with dimensions that its model does not have, or with none at all', async () => {
    const { vectors } = await startService();
    const create = (form: object): Promise<unknown> => vectors.create(alice.holder, { ...MANUALS, ...form });
    await expect(create({ model: 'words@1', dimensions: 3 })).rejects.toEqual(code('vectors.bad_dimensions'));
    await expect(create({ model: null })).rejects.toEqual(code('vectors.bad_dimensions'));
    await expect(create({ model: 'other' })).rejects.toEqual(code('embeddings.unknown_model'));
    expect(await vectors.list(alice.holder)).toEqual([]);
  });

  it('that was dropped is gone for everything, and its name is free', async () => {
    const rig = await startService();
    await rig.vectors.create(alice.holder, MANUALS);
    await uploaded(rig, alice, documentOf(PUMPS));
    expect((await rig.vectors.drop(alice.holder, 'manuals')).receipt.split('.')).toHaveLength(3);
    const query = rig.vectors.query(alice, 'manuals', { text: 'valve', topK: 1 });
    await expect(query).rejects.toEqual(code('database.not_found'));
    await rig.vectors.create(alice.holder, MANUALS);
    expect(await rig.vectors.query(alice, 'manuals', { text: 'valve', topK: 1 })).toMatchObject({ hits: [] });
  });

  it('of another account does not exist', async () => {
    const { vectors } = await startService();
    await vectors.create(alice.holder, MANUALS);
    for (const work of [
      vectors.describe(bob.holder, 'manuals'),
      vectors.drop(bob.holder, 'manuals'),
      vectors.query(bob, 'manuals', { text: 'a', topK: 1 }),
      vectors.ask(bob, 'manuals', { question: 'a', topK: 1 }),
      vectors.upsert(bob, 'manuals', [{ id: 'a', text: 'b' }]),
      vectors.delete(bob, 'manuals', { ids: ['a'] }),
      vectors.upload(bob, 'manuals', documentOf(PUMPS)),
      vectors.documents(bob.holder, 'manuals', { limit: 1 }),
      vectors.deleteDocument(bob, 'manuals', 'a'),
    ])
      await expect(work).rejects.toEqual(code('database.not_found'));
  });
});

describe('records', () => {
  it('of a database with a model are texts, which are found by sense and word', async () => {
    const { vectors } = await startService();
    await vectors.create(alice.holder, MANUALS);
    const records = [
      { id: 'a', text: 'The red valve stops the pump.', metadata: { year: 2026 } },
      { id: 'b', text: 'Fans need no care.', metadata: { year: 2020 } },
    ];
    expect(await vectors.upsert(alice, 'manuals', records)).toEqual({ inserted: 2, updated: 0 });
    const { hits } = await vectors.query(alice, 'manuals', { text: 'the red valve', topK: 1 });
    expect(hits).toMatchObject([
      { id: 'a', text: 'The red valve stops the pump.', metadata: { year: 2026 } },
    ]);
    const old = await vectors.query(alice, 'manuals', {
      text: 'the red valve',
      topK: 5,
      filter: { year: { lt: 2024 } },
    });
    expect(old.hits.map(({ id }) => id)).toEqual(['b']);
    expect(await vectors.delete(alice, 'manuals', { filter: { year: 2026 } })).toBe(1);
  });

  it('are refused where vectors of different origin would mix', async () => {
    const { vectors } = await startService();
    await vectors.create(alice.holder, MANUALS);
    await vectors.create(alice.holder, { ...MANUALS, name: 'raw', dimensions: 2 });
    const upsert = (name: string, record: object): Promise<unknown> =>
      vectors.upsert(alice, name, [{ id: 'a', ...record }]);
    const vector = [...vectorOf('valve')];
    await expect(upsert('manuals', { vector })).rejects.toEqual(code('vectors.model_embeds'));
    await expect(upsert('manuals', { vector, text: 'a' })).rejects.toEqual(code('vectors.model_embeds'));
    await expect(upsert('raw', { text: 'a' })).rejects.toEqual(code('vectors.no_model'));
    await expect(upsert('raw', { vector: [1] })).rejects.toEqual(code('vectors.bad_dimensions'));
    await expect(vectors.upload(alice, 'raw', documentOf(PUMPS))).rejects.toEqual(code('vectors.no_model'));
    await expect(vectors.ask(alice, 'raw', { question: 'a', topK: 1 })).rejects.toEqual(
      code('vectors.no_model'),
    );
  });

  it('with vectors of their owner are found by vector, and by word if they are sealed', async () => {
    const { vectors } = await startService();
    await vectors.create(alice.holder, { ...MANUALS, dimensions: 2 });
    const records = [
      { id: 'a', vector: [1, 0], text: 'red valve' },
      { id: 'b', vector: [0, 1], text: 'green fan' },
    ];
    await vectors.upsert(alice, 'manuals', records);
    const ids = async (query: object): Promise<string[]> =>
      (await vectors.query(alice, 'manuals', { topK: 1, ...query })).hits.map(({ id }) => id);
    expect(await ids({ vector: [0.1, 0.9] })).toEqual(['b']);
    expect(await ids({ text: 'valve' })).toEqual(['a']);
    expect(await ids({ text: 'valve', vector: [1, 0] })).toEqual(['a']);
  });

  it('of a strict database keep no text', async () => {
    const { vectors } = await startService();
    await vectors.create(alice.holder, { ...MANUALS, kind: 'strict' });
    await vectors.upsert(alice, 'manuals', [{ id: 'a', text: 'red valve' }]);
    const { hits } = await vectors.query(alice, 'manuals', { text: 'valve', topK: 1 });
    expect(hits).toMatchObject([{ id: 'a', text: null, keywordScore: null }]);
    const byWord = vectors.query(alice, 'manuals', { text: 'valve', topK: 1, mode: 'keyword' });
    await expect(byWord).rejects.toEqual(code('vectors.no_keywords'));
  });
});

describe('each request on content', () => {
  it('leaves one record, and one about databases none', async () => {
    const rig = await startService();
    const { vectors, records } = rig;
    await vectors.create(alice.holder, MANUALS);
    await vectors.list(alice.holder);
    await vectors.describe(alice.holder, 'manuals');
    expect(records).toEqual([]);
    const requests: readonly ((asker: Asker) => Promise<unknown>)[] = [
      (asker) => uploaded(rig, asker, documentOf(PUMPS, { documentId: 'd' })),
      (asker) => vectors.upsert(asker, 'manuals', [{ id: 'a', text: 'b' }]),
      (asker) => vectors.query(asker, 'manuals', { text: 'a', topK: 1 }),
      (asker) => vectors.ask(asker, 'manuals', { question: 'a', topK: 1 }),
      (asker) => vectors.delete(asker, 'manuals', { ids: ['a'] }),
      (asker) => vectors.extract(asker, documentOf(PUMPS)),
      (asker) => vectors.deleteDocument(asker, 'manuals', 'd'),
    ];
    for (const [at, request] of requests.entries()) {
      await request(alice);
      expect(records).toHaveLength(at + 1);
    }
    expect(records[0]).toEqual({
      accountId: alice.principal.accountId,
      functionId: REQUEST_IDS.vectors,
      version: 1,
      originIp: '192.0.2.1',
      durationMs: expect.any(Number),
      ok: true,
    });
    expect(records.every(({ ok }) => ok)).toBe(true);
  });

  it('that fails is recorded as failed', async () => {
    const rig = await startService();
    await expect(rig.vectors.query(alice, 'none', { text: 'a', topK: 1 })).rejects.toThrow();
    await expect(rig.vectors.upload(alice, 'none', documentOf(PUMPS))).rejects.toThrow();
    await rig.vectors.create(alice.holder, MANUALS);
    await uploaded(rig, alice, documentOf('DAMAGED')).catch(() => undefined);
    expect(rig.records.map(({ ok }) => ok)).toEqual([false, false, false]);
  });

  it('ends when its client leaves', async () => {
    const rig = await startService();
    await rig.vectors.create(alice.holder, MANUALS);
    const signal = AbortSignal.abort();
    const query = rig.vectors.query({ ...alice, signal }, 'manuals', { text: 'a', topK: 1 });
    await expect(query).rejects.toEqual(code('vectors.cancelled'));
    expect(rig.records).toMatchObject([{ ok: false }]);
  });
});
