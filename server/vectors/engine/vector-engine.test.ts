import { afterAll, describe, expect, it } from 'vitest';
import { clusteredVectors, passage, startRig, uploadDocument } from './testing/rig.ts';
import type { VectorRecord, VectorSettings } from './vector-engine.ts';

const code = (name: string): unknown => expect.objectContaining({ code: `vectors.${name}` });
/** For tests that need nothing of their own: it takes longer to start than most of them. */
const shared = startRig({}, afterAll);
const v = (...components: number[]): Float32Array => Float32Array.from(components);
const ids = (hits: readonly { readonly id: string }[]): string[] => hits.map(({ id }) => id);

describe('a vector database', () => {
  it('says how it was made and what it holds', async () => {
    const { engine, make } = shared;
    const file = await make({ kind: 'strict', metric: 'dot', model: 'mini@1' });
    await engine.upsert(file, [{ id: 'a', vector: v(1, 0, 0, 0) }]);
    expect(await engine.describe(file)).toEqual({
      kind: 'strict',
      dimensions: 4,
      metric: 'dot',
      model: 'mini@1',
      records: 1,
      documents: 0,
      bytes: expect.any(Number) as number,
      index: 'exact',
    });
  });

  it('is made once', async () => {
    const { engine, make } = shared;
    const file = await make();
    await expect(engine.create(file, await engine.describe(file))).rejects.toEqual(code('exists'));
  });

  it.each([
    { dimensions: 0 },
    { dimensions: 4097 },
    { dimensions: 1.5 },
    { metric: 'manhattan' },
    { kind: 'open' },
    { model: '' },
  ])('is not made with settings that there are not: %o', async (wrong) => {
    const { make } = shared;
    await expect(make(wrong as Partial<VectorSettings>)).rejects.toEqual(code('bad_settings'));
  });

  it('gives records back as they were put, and counts what is new and what is replaced', async () => {
    const { engine, make } = shared;
    const file = await make();
    const metadata = {
      text: 'ü𝕏"\'',
      number: 0.1 + 0.2,
      large: 1e300,
      yes: true,
      no: false,
      nil: null,
      __proto__x: 1,
    };
    const records = [
      { id: 'a', vector: v(1, 0, 0, 0), metadata, text: 'first text' },
      { id: 'b', vector: v(0, 1, 0, 0) },
    ];
    expect(await engine.upsert(file, records)).toEqual({ inserted: 2, updated: 0 });
    expect(await engine.search(file, { vector: v(2, 1, 0, 0), topK: 10 })).toEqual([
      {
        id: 'a',
        score: expect.closeTo(2 / Math.sqrt(5), 6) as number,
        keywordScore: null,
        metadata,
        text: 'first text',
        span: null,
      },
      {
        id: 'b',
        score: expect.closeTo(1 / Math.sqrt(5), 6) as number,
        keywordScore: null,
        metadata: {},
        text: null,
        span: null,
      },
    ]);
    const twice = [
      { id: 'b', vector: v(1, 0, 0, 0) },
      { id: 'b', vector: v(0, 0, 1, 0), metadata: { last: true } },
      { id: 'c', vector: v(0, 0, 0, 1) },
    ];
    expect(await engine.upsert(file, twice)).toEqual({ inserted: 1, updated: 1 });
    const [nearest] = await engine.search(file, { vector: v(0, 0, 1, 0), topK: 1 });
    expect(nearest).toMatchObject({ id: 'b', score: 1, metadata: { last: true } });
  });

  it('still has everything after a restart', async () => {
    const { engine, make, restart } = startRig();
    const file = await make();
    const vectors = clusteredVectors(300, 4);
    await engine.upsert(
      file,
      vectors.map((vector, index) => ({ id: `r${index}`, vector, text: `word${index}` })),
    );
    const before = await engine.search(file, { vector: vectors[7] ?? v(), text: 'word9', topK: 20 });
    const after = await (
      await restart()
    ).search(file, { vector: vectors[7] ?? v(), text: 'word9', topK: 20 });
    expect(after).toEqual(before);
    expect(ids(after)).toContain('r7');
  });

  it('takes all records of a request or none', async () => {
    const { engine, make } = startRig({ limits: { recordsMax: 5 } });
    const file = await make();
    const good = { id: 'good', vector: v(1, 0, 0, 0) };
    const wrong: [unknown, VectorRecord][] = [
      [code('bad_dimensions'), { id: 'x', vector: v(1, 2) }],
      [code('bad_dimensions'), { id: 'x', vector: v() }],
      [code('bad_vector'), { id: 'x', vector: v(0, 0, 0, 0) }],
      [code('bad_vector'), { id: 'x', vector: v(1, Number.NaN, 0, 0) }],
      [code('bad_vector'), { id: 'x', vector: v(1, Infinity, 0, 0) }],
      [code('bad_vector'), { id: 'x', vector: v(1e20, 0, 0, 0) }],
      [code('bad_record'), { id: '', vector: v(1, 0, 0, 0) }],
      [code('bad_record'), { id: 'x'.repeat(129), vector: v(1, 0, 0, 0) }],
      [code('bad_record'), { id: 'x\0', vector: v(1, 0, 0, 0) }],
      [code('bad_record'), { id: 'x', vector: v(1, 0, 0, 0), metadata: { $document: 'y' } }],
      [code('bad_record'), { id: 'x', vector: v(1, 0, 0, 0), metadata: { a: 'x'.repeat(513) } }],
      [code('bad_record'), { id: 'x', vector: v(1, 0, 0, 0), metadata: { a: '\ud800' } }],
      [code('bad_record'), { id: 'x', vector: v(1, 0, 0, 0), metadata: { a: [1] as never } }],
      [
        code('bad_record'),
        {
          id: 'x',
          vector: v(1, 0, 0, 0),
          metadata: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, i])),
        },
      ],
      [code('bad_record'), { id: 'x', vector: v(1, 0, 0, 0), text: 'x'.repeat(65_537) }],
    ];
    for (const [error, record] of wrong) {
      await expect(engine.upsert(file, [good, record])).rejects.toEqual(error);
    }
    expect(await engine.describe(file)).toMatchObject({ records: 0 });
    await engine.upsert(
      file,
      [1, 2, 3, 4, 5].map((n) => ({ id: `r${n}`, vector: v(n, 0, 0, 0) })),
    );
    await expect(engine.upsert(file, [good])).rejects.toEqual(code('full'));
    // One that replaces another needs no room.
    expect(await engine.upsert(file, [{ ...good, id: 'r1' }])).toEqual({ inserted: 0, updated: 1 });
  });

  it.each([
    [{ topK: 5 }, 'bad_search'],
    [{ vector: v(1, 0, 0, 0), topK: 0 }, 'bad_search'],
    [{ vector: v(1, 0, 0, 0), topK: 1001 }, 'bad_search'],
    [{ vector: v(1, 0, 0, 0), topK: 5, minScore: Number.NaN }, 'bad_search'],
    [{ text: 'x'.repeat(8193), topK: 5 }, 'bad_search'],
    [{ vector: v(1, 0, 0), topK: 5 }, 'bad_dimensions'],
    [{ vector: v(0, 0, 0, 0), topK: 5 }, 'bad_vector'],
    [{ vector: v(1, 0, 0, 0), topK: 5, filter: { a: {} } }, 'bad_filter'],
    [{ vector: v(1, 0, 0, 0), topK: 5, filter: { a: { near: 1 } as never } }, 'bad_filter'],
    [{ vector: v(1, 0, 0, 0), topK: 5, filter: { a: { gt: true as never } } }, 'bad_filter'],
    [
      { vector: v(1, 0, 0, 0), topK: 5, filter: { a: { in: Array.from({ length: 1001 }, () => 1) } } },
      'bad_filter',
    ],
  ])('refuses a search that does not fit: %o', async (search, name) => {
    const { engine, make } = shared;
    await expect(engine.search(await make(), search)).rejects.toEqual(code(name));
  });

  it('leaves out hits below the least score, and finds nothing when it is empty', async () => {
    const { engine, make } = shared;
    const file = await make({ metric: 'euclidean' });
    expect(await engine.search(file, { vector: v(0, 0, 0, 0), text: 'word', topK: 5 })).toEqual([]);
    const at = (x: number): VectorRecord => ({ id: `at${x}`, vector: v(x, 0, 0, 0), text: 'word' });
    await engine.upsert(file, [1, 2, 3].map(at));
    const vector = v(0, 0, 0, 0);
    expect(ids(await engine.search(file, { vector, topK: 5, minScore: -2 }))).toEqual(['at1', 'at2']);
    expect(ids(await engine.search(file, { vector, text: 'word', topK: 5, minScore: -2 }))).toEqual([
      'at1',
      'at2',
    ]);
    const [first] = await engine.search(file, { vector, topK: 1 });
    expect(first?.score).toBeCloseTo(-1, 6);
  });

  it('finds by words and by vectors, and first what both find', async () => {
    const { engine, make } = shared;
    const file = await make();
    await engine.upsert(file, [
      { id: 'near', vector: v(1, 0.1, 0, 0), text: 'Something about cats' },
      { id: 'both', vector: v(1, 0.2, 0, 0), text: 'Overdue invoices of the month' },
      { id: 'word', vector: v(-1, 0, 0, 0), text: 'An invoice' },
      { id: 'neither', vector: v(-1, 1, 0, 0) },
    ]);
    const query = { vector: v(1, 0, 0, 0), text: 'the invoice', topK: 3 };
    const hits = await engine.search(file, query);
    expect(hits[0]?.id).toBe('both');
    expect(ids(hits).toSorted()).toEqual(['both', 'near', 'word']);
    // Both scores are told, whichever search it was.
    expect(hits.find(({ id }) => id === 'word')).toMatchObject({
      score: -1,
      keywordScore: expect.any(Number) as number,
    });
    expect(hits.find(({ id }) => id === 'near')).toMatchObject({ keywordScore: null });
    // Of two with the word once, the shorter one is better.
    const byWords = await engine.search(file, { text: 'invoices', topK: 5 });
    expect(ids(byWords)).toEqual(['word', 'both']);
    expect(byWords[0]?.score).toBeNull();
  });

  it('deletes by id and by filter, and finds deleted ones no more', async () => {
    const { engine, make } = shared;
    const file = await make();
    const records = Array.from({ length: 500 }, (_, n) => ({
      id: `r${n}`,
      vector: v(n + 1, 1, 0, 0),
      metadata: { half: n % 2 === 0 },
      text: `common word${n}`,
    }));
    await engine.upsert(file, records);
    const all = { vector: v(1, 1, 0, 0), text: 'common word3', topK: 1000 };
    expect(await engine.search(file, all)).toHaveLength(500);
    expect(await engine.delete(file, { ids: ['r1', 'r3', 'nobody'] })).toBe(2);
    expect(await engine.delete(file, { filter: { half: true } })).toBe(250);
    const left = ids(await engine.search(file, all));
    expect(left).toHaveLength(248);
    expect(left).not.toContain('r3');
    expect(left).not.toContain('r0');
    expect(await engine.delete(file, { filter: {} })).toBe(248);
    expect(await engine.search(file, all)).toEqual([]);
    expect(await engine.describe(file)).toMatchObject({ records: 0 });
  });
});

describe('a strict database', () => {
  it('takes no text in records and no words in searches, and keeps neither text nor headings of passages', async () => {
    const { engine, make } = shared;
    const file = await make({ kind: 'strict' });
    const record = { id: 'a', vector: v(1, 0, 0, 0) };
    await expect(engine.upsert(file, [{ ...record, text: 'secret' }])).rejects.toEqual(code('keeps_no_text'));
    await expect(engine.search(file, { text: 'secret', topK: 1 })).rejects.toEqual(code('no_keywords'));
    await uploadDocument(engine, file, { documentId: 'doc', texts: ['secret text'] });
    const [hit] = await engine.search(file, { vector: passage(0, '').vector, topK: 1 });
    expect(hit).toMatchObject({
      id: 'doc#1',
      text: null,
      span: { documentId: 'doc', start: 0, end: 11, page: 1, headings: [] },
    });
  });

  it('knows whether a text is the passage that it read', async () => {
    const { engine, make } = shared;
    const file = await make({ kind: 'strict' });
    await uploadDocument(engine, file, { documentId: 'doc', texts: ['first', 'second'] });
    const given = [
      { id: 'doc#1', text: 'first' },
      { id: 'doc#2', text: 'first' },
      { id: 'doc#2', text: 'second' },
      { id: 'doc#3', text: 'third' },
    ];
    expect(await engine.matches(file, given)).toEqual([true, false, true, false]);
  });
});
