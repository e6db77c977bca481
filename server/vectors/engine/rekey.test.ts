import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import { rekeyFile } from '../../stores/rekey.ts';
import { startRig, uploadDocument } from './testing/rig.ts';

const TEXTS = ['The pump stands in the cellar', 'The valve is on the roof'];
const { engine, make } = startRig({}, afterAll);

async function rekeyed(file: DatabaseFile): Promise<DatabaseFile> {
  const nextKey = new Uint8Array(randomBytes(32));
  await engine.forget(file.id);
  await rekeyFile({
    path: join(file.directory, 'vectors.db'),
    key: file.key,
    nextKey,
    commit: async () => undefined,
    keyInForce: async () => nextKey,
  });
  engine.recall(file.id);
  return { ...file, key: nextKey };
}

it('a file under another key still finds by words, knows its texts and names documents as before', async () => {
  const [sealed, strict] = [await make({ kind: 'sealed' }), await make({ kind: 'strict' })];
  for (const file of [sealed, strict]) await uploadDocument(engine, file, { documentId: 'd', texts: TEXTS });
  const told = async (sealedNow: DatabaseFile, strictNow: DatabaseFile): Promise<object> => ({
    hits: await engine.search(sealedNow, { text: 'cellar', topK: 5 }),
    name: await engine.keyedName(sealedNow, 'manual.pdf'),
    matches: await engine.matches(
      strictNow,
      TEXTS.map((text, at) => ({ id: `d#${at + 1}`, text })),
    ),
    known: await engine.knownVectors(strictNow, TEXTS),
  });
  const before = await told(sealed, strict);
  expect(before).toMatchObject({ hits: [{ text: TEXTS[0] }], matches: [true, true] });
  expect(await told(await rekeyed(sealed), await rekeyed(strict))).toEqual(before);
});
