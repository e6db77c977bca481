import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../testkit/raw-zip.ts';
import type { DatabaseFile } from '../../databases/databases.ts';
import { clusteredVectors, passage, startRig, uploadDocument } from './testing/rig.ts';
import type { VectorEngine } from './vector-engine.ts';

const NOT_FOUND = expect.objectContaining({ code: 'database.not_found' });
const code = (name: string): unknown => expect.objectContaining({ code: `vectors.${name}` });
const shared = startRig({}, afterAll);
const v = (...components: number[]): Float32Array => Float32Array.from(components);
const ids = (hits: readonly { readonly id: string }[]): string[] => hits.map(({ id }) => id);

describe('the lock', () => {
  it('opens for the right key only, whether the file is open or not', async () => {
    const { engine, make, restart } = startRig();
    const file = await make();
    const wrong: DatabaseFile = { ...file, key: new Uint8Array(32).fill(7) };
    const tries = (one: VectorEngine): Promise<unknown>[] => [
      one.describe(wrong),
      one.search(wrong, { vector: v(1, 0, 0, 0), topK: 1 }),
      one.upsert(wrong, [{ id: 'a', vector: v(1, 0, 0, 0) }]),
      one.delete(wrong, { filter: {} }),
      one.keyedName(wrong, 'name'),
      one.create(wrong, { kind: 'sealed', dimensions: 4, metric: 'cosine', model: null }),
    ];
    for (const attempt of tries(engine)) await expect(attempt).rejects.toEqual(NOT_FOUND);
    await expect(engine.describe({ ...file, key: new Uint8Array(31) })).rejects.toEqual(NOT_FOUND);
    const restarted = await restart();
    for (const attempt of tries(restarted)) await expect(attempt).rejects.toEqual(NOT_FOUND);
    expect(await restarted.describe(file)).toMatchObject({ records: 0 });
  });

  it('tells a missing database like one with another key, and makes none', async () => {
    const { engine, newFile } = shared;
    const file = newFile();
    await expect(engine.describe(file)).rejects.toEqual(NOT_FOUND);
    expect(existsSync(file.directory)).toBe(false);
  });

  it('names by a hash that differs between databases', async () => {
    const { engine, make } = shared;
    const [one, two] = [await make(), await make()];
    const name = await engine.keyedName(one, 'report.pdf');
    expect(name).toMatch(/^[0-9A-Za-z]{22}$/);
    expect(await engine.keyedName(one, 'report.pdf')).toBe(name);
    expect(await engine.keyedName(two, 'report.pdf')).not.toBe(name);
  });
});

describe('a dropped database', () => {
  it('ends all that runs on it as if it had never been there, and is not made again', async () => {
    const { engine, make } = shared;
    const file = await make();
    const vectors = clusteredVectors(3000, 4);
    const records = vectors.map((vector, index) => ({ id: `r${index}`, vector, text: `word${index}` }));
    await engine.beginDocument(file, { uploadId: 'upl', documentId: 'doc', metadata: {} });
    const running = [
      engine.upsert(file, records),
      engine.search(file, { vector: v(1, 0, 0, 0), topK: 5 }),
      engine.stage(
        file,
        'upl',
        Array.from({ length: 1000 }, (_, n) => passage(n, `text ${n}`)),
      ),
      engine.finishDocument(file, 'upl'),
      engine.delete(file, { filter: {} }),
    ];
    const ended = Promise.allSettled(running);
    await engine.forget(file.id);
    for (const end of await ended) expect(end).toEqual({ status: 'rejected', reason: NOT_FOUND });
    await rm(file.directory, { recursive: true });
    await expect(engine.describe(file)).rejects.toEqual(NOT_FOUND);
    await expect(
      engine.create(file, { kind: 'sealed', dimensions: 4, metric: 'cosine', model: null }),
    ).rejects.toEqual(NOT_FOUND);
    expect(existsSync(file.directory)).toBe(false);
  });

  it('may be one that was never opened', async () => {
    const { engine, newFile } = shared;
    await engine.forget(newFile().id);
  });
});

describe('the engine process', () => {
  it('starts again after it was killed; what ran is told so', async () => {
    const { engine, make, kill } = startRig();
    const file = await make();
    await engine.upsert(file, [{ id: 'a', vector: v(1, 0, 0, 0) }]);
    const running = engine.upsert(
      file,
      clusteredVectors(5000, 4).map((vector, n) => ({ id: `r${n}`, vector })),
    );
    const ended = expect(running).rejects.toEqual(code('engine_crashed'));
    kill();
    await ended;
    // All or none: the request that ran was not acknowledged.
    const { records } = await engine.describe(file);
    expect([1, 5001]).toContain(records);
  });

  it('ends when nobody needs it, and begins again', async () => {
    const tasks: (() => void)[] = [];
    const ended = Promise.withResolvers<void>();
    const { engine, make } = startRig({
      scheduler: { after: (delayMs, task) => ({ close: () => void (delayMs === 1 && tasks.push(task)) }) },
      events: { emit: (name) => void (name === 'vectors.ended' && ended.resolve()) },
      limits: { idleMs: 1 },
    });
    const file = await make();
    await engine.describe(file);
    for (const task of tasks) task();
    await ended.promise;
    expect(await engine.describe(file)).toMatchObject({ records: 0 });
  });

  it('keeps few databases open, and works with many', async () => {
    const { engine, make } = startRig({ limits: { openMax: 4 } });
    const files: DatabaseFile[] = [];
    for (let n = 0; n < 20; n++) {
      const file = await make();
      await engine.upsert(file, [{ id: `of${n}`, vector: v(1, 0, 0, 0) }]);
      files.push(file);
    }
    const found = await Promise.all(
      files.map((file) => engine.search(file, { vector: v(1, 0, 0, 0), topK: 5 })),
    );
    expect(found.map(ids)).toEqual(files.map((_, n) => [`of${n}`]));
    for (const file of files) await engine.describe(file);
    const open = files.filter(({ directory }) => existsSync(join(directory, 'vectors.db-shm')));
    expect(open.length).toBeLessThanOrEqual(4);
  });

  it('refuses more requests than it can hold', async () => {
    const { engine, make } = startRig({ limits: { queueMax: 10, queuePerDatabaseMax: 5 } });
    const file = await make();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => engine.describe(file)));
    const refused = asked.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(15);
    for (const end of refused) expect(end).toMatchObject({ reason: code('busy') });
    await expect(
      engine.upsert(
        file,
        clusteredVectors(10_001, 4).map((vector, n) => ({ id: `r${n}`, vector })),
      ),
    ).rejects.toEqual(code('too_large'));
  });

  it(
    'never mixes up 50 databases, whatever is called off and however requests interleave',
    { timeout: 120_000 },
    async () => {
      const random = seededRandom(50);
      const { engine, make } = startRig({ limits: { openMax: 25 } });
      const files = await Promise.all(Array.from({ length: 50 }, () => make()));
      const alive = new Set(files);
      const crossings: unknown[] = [];
      const work = Array.from({ length: 400 }, async (_, round) => {
        const file = files[Math.floor(random() * 50)] as DatabaseFile;
        const owner = file.id;
        const dropped = random() < 0.02;
        if (dropped) alive.delete(file);
        try {
          if (dropped) return await engine.forget(file.id);
          if (random() < 0.4) {
            await engine.upsert(file, [
              {
                id: `r${round}`,
                vector: v(random(), random(), 1, 0),
                metadata: { owner },
                text: `${owner} word`,
              },
            ]);
          } else if (random() < 0.3) {
            await uploadDocument(engine, file, { documentId: `${owner}-${round}`, texts: [`${owner} word`] });
          }
          const hits = await engine.search(file, { vector: v(1, 1, 1, 1), text: 'word', topK: 100 });
          const names = (await engine.documents(file, { limit: 100 })).map(({ documentId }) => documentId);
          crossings.push(
            ...hits.filter(({ text }) => text !== `${owner} word`),
            ...names.filter((name) => !name.startsWith(owner)),
          );
        } catch (thrown) {
          expect((thrown as { code: string }).code).toMatch(/^(database\.not_found|vectors\.busy)$/);
        }
      });
      await Promise.all(work);
      expect(crossings).toEqual([]);
      for (const file of files) {
        if (alive.has(file)) expect(await engine.describe(file)).toMatchObject({ dimensions: 4 });
        else await expect(engine.describe(file)).rejects.toEqual(NOT_FOUND);
      }
    },
  );
});
