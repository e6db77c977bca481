import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseKeyConfigs, sealRequest } from '../../clients/sdk/src/sealed/index.ts';
import type { DatabaseFile } from '../../server/databases/databases.ts';
import { PlatformError } from '../../server/kernel/errors.ts';
import { decodeFrame, encodeFrame } from '../../server/vectors/engine/frames.ts';
import type { SealedAnswer } from '../../server/vectors/engine/protocol.ts';
import { databaseBinding } from '../../server/vectors/engine/sealing.ts';
import { type Rig, startRig, uploadDocument } from '../../server/vectors/engine/testing/rig.ts';
import type { VectorEngine } from '../../server/vectors/engine/vector-engine.ts';
import type { Door } from './door.ts';
import { createSealedEngine } from './engine.ts';

/** The desk's engine against the real one, with a server between them that carries what it is given. */
const v = (...components: number[]): Float32Array => Float32Array.from(components);
const code = (name: string): unknown => expect.objectContaining({ code: name });

interface Carrying {
  readonly sealed: VectorEngine;
  /** Everything that was carried, both ways. */
  readonly carried: Uint8Array[];
}

function carryTo({ engine }: Rig, file: DatabaseFile): Carrying {
  const carried: Uint8Array[] = [];
  const door = {
    engineKey: () => engine.sealingKey(),
    async engine(_pass: string, _name: string, body: Uint8Array) {
      const answer = await engine.sealed(file, body);
      carried.push(body, answer);
      return answer;
    },
  } as unknown as Door;
  return { sealed: createSealedEngine(door, () => ({ pass: 'pass', name: 'name' })), carried };
}

interface Sent {
  readonly body: Uint8Array;
  /** Code of the failure that is in the answer, if it is one. */
  readonly failureIn: (answer: Uint8Array) => Promise<string | undefined>;
}

/** What a desk sends that an attacker has taken over. */
async function sealFrame({ engine }: Rig, file: DatabaseFile, header: unknown): Promise<Sent> {
  const [config] = parseKeyConfigs(await engine.sealingKey());
  if (config === undefined) throw new Error('no key');
  const frame = Buffer.concat(encodeFrame({ header, parts: [] }) ?? []);
  const { body, openResponse } = await sealRequest(config, databaseBinding(file.id), frame);
  return {
    body,
    async failureIn(answer) {
      const opened = decodeFrame<SealedAnswer>(await openResponse(answer))?.header;
      return opened?.t === 'failed' ? opened.error.code : undefined;
    },
  };
}

describe('the sealed engine', () => {
  it('does what the plain one does, and who carries it reads nothing', async () => {
    const rig = startRig();
    const file = await rig.make();
    const { sealed, carried } = carryTo(rig, file);
    // The desk has no key: the server brings it.
    const keyless = { ...file, directory: '', key: new Uint8Array() };
    await sealed.upsert(keyless, [
      { id: 'canary-a', vector: v(1, 0, 0, 0), text: 'the canary pump', metadata: { note: 'canary' } },
      { id: 'canary-b', vector: v(0, 1, 0, 0), text: 'the canary valve' },
    ]);
    await uploadDocument(sealed, keyless, { documentId: 'canary-doc', texts: ['canary passage'] });
    const search = { vector: v(1, 0.1, 0, 0), text: 'canary pump', topK: 3 };
    const found = await sealed.search(keyless, search);
    expect(found).toEqual(await rig.engine.search(file, search));
    expect(found[0]).toMatchObject({ id: 'canary-a', text: 'the canary pump' });
    expect(await sealed.documents(keyless, { limit: 10 })).toEqual(
      await rig.engine.documents(file, { limit: 10 }),
    );
    expect(await sealed.knownVectors(keyless, ['canary passage', 'other'])).toEqual(
      await rig.engine.knownVectors(file, ['canary passage', 'other']),
    );
    expect(await sealed.deleteDocument(keyless, 'canary-doc')).toBe(true);
    expect(await sealed.describe(keyless)).toMatchObject({ records: 2, documents: 0 });
    expect(Buffer.concat(carried).toString('latin1')).not.toContain('canary');
  });

  it('fails as the plain one does, inside of the seal', async () => {
    const rig = startRig();
    const file = await rig.make();
    const { sealed, carried } = carryTo(rig, file);
    const wrong = [{ id: 'a', vector: v(1, 2) }];
    await expect(sealed.upsert(file, wrong)).rejects.toEqual(code('vectors.bad_dimensions'));
    expect(carried.length).toBe(2);
    expect(Buffer.concat(carried).toString('latin1')).not.toContain('bad_dimensions');
  });

  it('goes on with another key when the engine has ended', async () => {
    const rig = startRig();
    const file = await rig.make();
    const { sealed } = carryTo(rig, file);
    await sealed.upsert(file, [{ id: 'a', vector: v(1, 0, 0, 0) }]);
    rig.kill();
    // The first one may find it dying; the key of the one before is of no use to the next.
    await sealed.describe(file).catch(() => undefined);
    expect(await sealed.describe(file)).toMatchObject({ records: 1 });
  });
});

describe('the engine refuses', () => {
  it('what was sealed for another database', async () => {
    const rig = startRig();
    const [one, two] = [await rig.make(), await rig.make()];
    const { body } = await sealFrame(rig, one, { method: 'describe', args: {} });
    await expect(rig.engine.sealed(two, body)).rejects.toEqual(code('vectors.seal_unknown'));
  });

  it('what was changed anywhere, and still answers', async () => {
    const rig = startRig();
    const file = await rig.make();
    const { body } = await sealFrame(rig, file, { method: 'describe', args: {} });
    for (let at = 0; at < body.length; at++) {
      const changed = Uint8Array.from(body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(rig.engine.sealed(file, changed)).rejects.toEqual(code('vectors.seal_unknown'));
    }
    for (const cut of [0, 1, 40, body.length - 1]) {
      await expect(rig.engine.sealed(file, body.subarray(0, cut))).rejects.toBeInstanceOf(PlatformError);
    }
    expect((await rig.engine.sealed(file, body)).length).toBeGreaterThan(0);
  });

  it('to make a database, or what is no request, and ends for none of it', async () => {
    const rig = startRig();
    const file = await rig.make();
    const missing = rig.newFile();
    for (const header of [
      { method: 'records', args: { page: { limit: 10 } } },
      { method: '__proto__', args: {} },
      { method: 'search', args: { search: { topK: 1e9 } } },
      { method: 'search', args: null },
      { method: 'upsert', args: { records: 'all' } },
      { method: 'delete', args: { what: { filter: { a: { in: 5 } } } } },
      { method: 'stage', args: { uploadId: 7, passages: [{}] } },
      { method: 'matches', args: { passages: [null] } },
      null,
      [],
      'text',
    ]) {
      const { body, failureIn } = await sealFrame(rig, file, header);
      const failure = await failureIn(await rig.engine.sealed(file, body));
      expect([header, failure]).toEqual([header, expect.any(String)]);
    }
    const settings = { kind: 'sealed', dimensions: 4, metric: 'cosine', model: null };
    const { body, failureIn } = await sealFrame(rig, missing, { method: 'create', args: { settings } });
    expect(await failureIn(await rig.engine.sealed(missing, body))).toBe('vectors.seal_unknown');
    expect(existsSync(missing.directory)).toBe(false);
    expect(await rig.engine.describe(file)).toMatchObject({ records: 0 });
  });
});

it('a frame that is cut, or longer than it says, is none', () => {
  const frame = Buffer.concat(encodeFrame({ header: { a: 1 }, parts: [v(1).slice()].map((one) => new Uint8Array(one.buffer)) }) ?? []);
  expect(decodeFrame(frame)?.header).toEqual({ a: 1 });
  for (const cut of [0, 7, frame.length - 1]) expect(decodeFrame(frame.subarray(0, cut))).toBeUndefined();
  expect(decodeFrame(Buffer.concat([frame, Buffer.alloc(1)]))).toBeUndefined();
});
