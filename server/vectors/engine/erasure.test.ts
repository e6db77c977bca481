import Database from 'better-sqlite3-multiple-ciphers';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import { bytesOf } from './frames.ts';
import { clusteredVectors, passage, startRig } from './testing/rig.ts';

const { engine, make } = startRig({}, afterAll);

const WORDS = ['Kaltbrunnerstrasse', 'zylindrisch', 'owner@example.test', 'Vertraulich', 'quarterly-report'];
const SECRET_VECTOR = Float32Array.of(0.123_456, -0.654_321, 0.111_222, 0.333_444);

/** All files of the database as they lie on disk. */
function rawFiles({ directory }: DatabaseFile): Buffer[] {
  return readdirSync(directory).map((name) => readFileSync(join(directory, name)));
}

/** What someone with the key could find in the main file, free pages and gaps included. */
function decrypted({ directory, key }: DatabaseFile): Buffer {
  const database = new Database(join(directory, 'vectors.db')) as Database & { serialize(): Buffer };
  database.pragma(`cipher='aegis'`);
  database.pragma(`key='raw:${Buffer.from(key).toString('hex')}'`);
  const bytes = database.serialize();
  database.close();
  return bytes;
}

const holds = (bytes: Buffer, needle: string | Uint8Array): boolean => bytes.includes(Buffer.from(needle));

/** Everything that a database can be given, of something that must not be read again. */
async function fillWithSecrets(file: DatabaseFile): Promise<void> {
  const [street = '', word = '', mail = '', heading = '', name = ''] = WORDS;
  await engine.upsert(file, [
    { id: mail, vector: SECRET_VECTOR, metadata: { [name]: street }, text: `${word} ${street}` },
  ]);
  await engine.beginDocument(file, { uploadId: 'upl', documentId: name, metadata: { author: mail } });
  const vector = Float32Array.from(SECRET_VECTOR);
  await engine.stage(file, 'upl', [{ ...passage(0, `${word} at ${street}`), headings: [heading], vector }]);
  await engine.finishDocument(file, 'upl');
  await engine.beginDocument(file, { uploadId: 'staged', documentId: name, metadata: { author: mail } });
  await engine.stage(file, 'staged', [
    { ...passage(1, `${word} in ${street}`), headings: [heading], vector },
  ]);
}

async function deleteSecrets(file: DatabaseFile): Promise<void> {
  await engine.failDocument(file, 'staged', 'documents.damaged');
  expect(await engine.deleteDocument(file, WORDS[4] ?? '')).toBe(true);
  expect(await engine.delete(file, { ids: [WORDS[2] ?? ''] })).toBe(1);
}

describe('files of a vector database', () => {
  it('hold no word, id, field or vector in the clear, neither open nor closed', async () => {
    const file = await make();
    await fillWithSecrets(file);
    expect(readdirSync(file.directory).toSorted()).toEqual([
      'vectors.db',
      'vectors.db-shm',
      'vectors.db-wal',
    ]);
    const needles = [...WORDS, bytesOf(SECRET_VECTOR), file.id, file.key];
    const found = needles.filter((needle) => rawFiles(file).some((bytes) => holds(bytes, needle)));
    expect(found).toEqual([]);
    // The needles are right: with the key they are there.
    const open = decrypted(file);
    expect(WORDS.every((word) => holds(open, word))).toBe(true);
    expect(holds(open, bytesOf(SECRET_VECTOR))).toBe(true);
    await engine.forget(file.id);
    expect(readdirSync(file.directory)).toEqual(['vectors.db']);
    expect(needles.filter((needle) => rawFiles(file).some((bytes) => holds(bytes, needle)))).toEqual([]);
  });

  it('hold nothing of what was deleted when the answer comes, not even for whoever has the key', async () => {
    const file = await make();
    const others = clusteredVectors(400, 4).map((vector, n) => ({
      id: `r${n}`,
      vector,
      text: `common word${n}`,
    }));
    await engine.upsert(file, others.slice(0, 200));
    await fillWithSecrets(file);
    await engine.upsert(file, others.slice(200));
    await deleteSecrets(file);
    expect(statSync(join(file.directory, 'vectors.db-wal')).size).toBe(0);
    const bytes = decrypted(file);
    expect(WORDS.filter((word) => holds(bytes, word))).toEqual([]);
    expect(holds(bytes, bytesOf(SECRET_VECTOR))).toBe(false);
    expect(holds(bytes, 'word399')).toBe(true);
  });

  it('keep words as keyed hashes only, and in strict databases no text at all', async () => {
    const file = await make({ kind: 'strict' });
    await engine.beginDocument(file, { uploadId: 'one', documentId: 'doc', metadata: {} });
    await engine.stage(file, 'one', [{ ...passage(0, WORDS.join(' ')), headings: WORDS }]);
    expect(WORDS.filter((word) => holds(decrypted(file), word))).toEqual([]);
    await engine.finishDocument(file, 'one');
    expect(WORDS.filter((word) => holds(decrypted(file), word))).toEqual([]);
  });

  it('give the space of deleted records back', async () => {
    const [file, fresh] = [await make({ dimensions: 64 }), await make({ dimensions: 64 })];
    const records = clusteredVectors(3000, 64).map((vector, n) => ({
      id: `r${n}`,
      vector,
      metadata: { keep: n % 10 === 0 },
      text: `some words of the record ${n}`,
    }));
    const size = ({ directory }: DatabaseFile): number => statSync(join(directory, 'vectors.db')).size;
    await engine.upsert(
      fresh,
      records.filter(({ metadata }) => metadata.keep),
    );
    await engine.upsert(file, records);
    expect(await engine.delete(file, { filter: { keep: false } })).toBe(2700);
    await engine.forget(fresh.id);
    await expect.poll(() => size(file)).toBeLessThanOrEqual(1.3 * size(fresh));
    expect(await engine.search(file, { text: 'record 2990', topK: 1 })).toMatchObject([{ id: 'r2990' }]);
    await engine.upsert(file, [{ id: 'after', vector: new Float32Array(64).fill(1), text: 'newcomer' }]);
    expect(await engine.search(file, { text: 'newcomer', topK: 1 })).toMatchObject([{ id: 'after' }]);
  });
});
