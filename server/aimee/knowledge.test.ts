import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Embedder } from '../embeddings/embedder.ts';
import { type AccountId, type SiteId, newId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import { openKeyStore } from '../stores/key-store.ts';
import { databaseFiles } from '../stores/rekey.ts';
import { startRig, uploadDocument } from '../vectors/engine/testing/rig.ts';
import { vectorLimits } from '../vectors/limits.ts';
import { createKnowledge } from './knowledge.ts';
import { aimeeLimits } from './limits.ts';
import type { Site } from './sites.ts';

it('a search of a visitor goes on by itself when the knowledge gets another key meanwhile', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'knowledge-'));
  const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
  const keyStore = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  onTestFinished(async () => {
    await keyStore.close();
    rmSync(dir, { recursive: true });
  });
  const keyRing = createKeyRing({ root, store: keyStore });
  const { engine } = startRig();
  const site = {
    id: newId<SiteId>('site'),
    accountId: newId<AccountId>('acct'),
    createdAt: 0,
    knowledge: { model: 'm', dimensions: 4 },
  } as Site;
  let embedded = 0;
  const embedder = {
    model: 'm',
    dimensions: 4,
    async embed({ texts, purpose }) {
      // The search has the key by now, and not yet what it opens.
      if (purpose === 'query' && embedded++ === 0) await knowledge.rotateKeys(site.accountId);
      return texts.map(() => Float32Array.of(1, 0, 0, 0));
    },
  } as Embedder;
  const knowledge = createKnowledge({
    sites: { get: async () => site, list: async () => [site], setKnowledge: async () => site },
    customers: { directoryOf: (accountId) => join(dir, accountId) },
    keyRing,
    files: databaseFiles,
    engine,
    embedders: { select: async () => embedder },
    reader: {} as never,
    tools: { named: async () => [] },
    limits: vectorLimits,
    searchLimits: aimeeLimits,
    recordRequest: () => Promise.reject(new Error('a search is part of a recorded answer')),
  });
  await keyRing.obtain(`aimee/${site.accountId}/${site.id}`, site.accountId);
  const { file } = await knowledge.bases.openOf(site);
  await engine.create(file, { kind: 'sealed', dimensions: 4, metric: 'cosine', model: 'm' });
  await uploadDocument(engine, file, { documentId: 'd', texts: ['The pump stands in the cellar'] });

  const { signal } = new AbortController();
  const { hits } = await knowledge.search(site, { text: 'cellar', topK: 1 }, signal);
  expect(hits).toMatchObject([{ text: 'The pump stands in the cellar' }]);
  expect(embedded).toBe(2);
});
