import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, DatabaseFile, Databases } from '../databases/databases.ts';
import type { DatabaseFiles } from '../databases/rotations.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, DatabaseId } from '../kernel/ids.ts';
import { createJoint } from '../kernel/joint.ts';
import { createSerial } from '../kernel/serial.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { settingsOf, vectorDatabase } from '../vectors/databases.ts';
import type { VectorEngine } from '../vectors/engine/vector-engine.ts';
import type { VectorDatabase } from '../vectors/vectors.ts';
import type { Customers } from './customers.ts';
import type { Site, SiteName, Sites } from './sites.ts';

export interface BasesOptions {
  readonly sites: Pick<Sites, 'get' | 'list' | 'setKnowledge'>;
  readonly customers: Pick<Customers, 'directoryOf'>;
  readonly keyRing: Pick<KeyRing, 'obtain' | 'find' | 'destroy' | 'replacementOf'>;
  readonly files: DatabaseFiles;
  readonly engine: VectorEngine;
  readonly embedders: Pick<Embedders, 'select'>;
}

export interface Opened {
  readonly database: VectorDatabase;
  readonly file: DatabaseFile;
}

export interface Bases extends Pick<Databases, 'open' | 'list'> {
  /** Of a site that has one. The key is the caller's to wipe. */
  openOf(site: Site): Promise<Opened>;
  /** Key first, then files. */
  destroy(site: SiteName): Promise<void>;
  /**
   * Encrypts each database of the account anew under another key; how many. Who opens one meanwhile waits, and what runs ends
   * with `database.not_found`.
   */
  rotateKeys(accountId: AccountId): Promise<number>;
}

/** The databases of sites in the form in which the vector service takes databases: they are called as their sites are. */
export function createBases({ sites, customers, keyRing, files, engine, embedders }: BasesOptions): Bases {
  const serial = createSerial();
  const keys = createKeys({ customers, keyRing, files, engine });

  async function fileOf(site: Site, key: Uint8Array | undefined): Promise<DatabaseFile> {
    if (key === undefined) throw notFound('site');
    return { id: databaseIdOf(site), directory: directoryOf(customers, site), key };
  }

  async function made(site: Site): Promise<Site> {
    const embedder = await embedders.select(site.accountId, undefined);
    const { model, dimensions } = embedder;
    const file = await fileOf(site, await keyRing.obtain(keyResourceOf(site), site.accountId));
    try {
      // What a crash left of an earlier try.
      await rm(file.directory, { recursive: true, force: true });
      await engine.create(file, { kind: 'sealed', metric: 'cosine', model, dimensions });
    } finally {
      file.key.fill(0);
    }
    return await sites.setKnowledge(site, { model, dimensions });
  }

  return {
    async openOf(site) {
      return {
        database: vectorDatabase(described(site)),
        file: await fileOf(site, await keys.of(site)),
      };
    },
    async open({ accountId }, _kind, siteId) {
      // The first document of a site makes its database.
      const site = await serial(async () => {
        const found = await sites.get(accountId, siteId);
        return found.knowledge === null ? await made(found) : found;
      });
      return {
        database: described(site),
        file: await fileOf(site, await keys.of(site)),
      };
    },
    async destroy(site) {
      await keys.settled(site);
      await keyRing.destroy(keyResourceOf(site));
      await engine.forget(databaseIdOf(site));
      await rm(directoryOf(customers, site), { recursive: true, force: true });
    },
    async rotateKeys(accountId) {
      const own = await serial(() => sites.list(accountId));
      let count = 0;
      for (const site of own) if (site.knowledge !== null && (await keys.rotate(site))) count++;
      return count;
    },
    async list({ accountId }) {
      return (await sites.list(accountId)).filter(({ knowledge }) => knowledge !== null).map(described);
    },
  };
}

interface Keys {
  /** Undefined without one. After a change of it, and after the end of one that was interrupted. */
  of(site: Site): Promise<Uint8Array | undefined>;
  /** Whether there was one. */
  rotate(site: Site): Promise<boolean>;
  /** Resolves when none is being changed. */
  settled(site: SiteName): Promise<unknown>;
}

function createKeys({
  customers,
  keyRing,
  files,
  engine,
}: Pick<BasesOptions, 'customers' | 'keyRing' | 'files' | 'engine'>): Keys {
  const rotating = createJoint<DatabaseId>();
  const pathOf = (site: SiteName): string => join(directoryOf(customers, site), 'vectors.db');

  return {
    async of(site) {
      const id = databaseIdOf(site);
      await rotating.ended(id);
      const key = await keyRing.find(keyResourceOf(site));
      if (key === undefined || !files.isRekeying(pathOf(site))) return key;
      await rotating.run(id, () => files.finish(pathOf(site), key));
      return await keyRing.find(keyResourceOf(site));
    },
    async rotate(site) {
      const id = databaseIdOf(site);
      await rotating.ended(id);
      const change = await keyRing.replacementOf(keyResourceOf(site));
      if (change === undefined) return false;
      await rotating.run(id, async () => {
        try {
          await engine.forget(id);
          await files.rekey(pathOf(site), change);
        } finally {
          engine.recall(id);
          for (const key of [change.key, change.nextKey]) key.fill(0);
        }
      });
      return true;
    },
    settled: (site) => rotating.ended(databaseIdOf(site)),
  };
}

function described(site: Site): Database {
  const { model, dimensions } = site.knowledge ?? { model: null, dimensions: 1 };
  return {
    id: databaseIdOf(site),
    kind: 'vector',
    name: site.id,
    createdAt: site.createdAt * 1000,
    settings: settingsOf({ kind: 'sealed', metric: 'cosine', model, dimensions, resolver: null }),
  };
}

function keyResourceOf({ accountId, id }: SiteName): string {
  return `aimee/${accountId}/${id}`;
}

function directoryOf(customers: Pick<Customers, 'directoryOf'>, { accountId, id }: SiteName): string {
  return join(customers.directoryOf(accountId), id);
}

/** A site's database has the site's own number. */
export function databaseIdOf({ id }: SiteName): DatabaseId {
  return `db_${id.slice('site_'.length)}` as DatabaseId;
}
