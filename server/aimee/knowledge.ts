import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Holder, Principal } from '../accounts/principal.ts';
import { type RecordRequest } from '../calls/record-request.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { Database, DatabaseFile, Databases } from '../databases/databases.ts';
import type { DocumentReader } from '../documents/document-reader.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, DatabaseId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createSerial } from '../kernel/serial.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { settingsOf, vectorDatabase } from '../vectors/databases.ts';
import { type Documents, createDocuments } from '../vectors/documents.ts';
import type { StoredDocument, VectorEngine } from '../vectors/engine/vector-engine.ts';
import type { VectorLimits } from '../vectors/limits.ts';
import { isRelevant } from '../vectors/relevance.ts';
import { type Retrieved, type RetrievalOptions, retrieve } from '../vectors/retrieval.ts';
import type { Asker, NewDocument, UploadProgress, VectorDatabase } from '../vectors/vectors.ts';
import type { Customers } from './customers.ts';
import type { Site, Sites } from './sites.ts';

export interface KnowledgeOptions {
  readonly sites: Pick<Sites, 'get' | 'list' | 'setKnowledge'>;
  readonly customers: Pick<Customers, 'directoryOf'>;
  readonly keyRing: Pick<KeyRing, 'obtain' | 'find' | 'destroy'>;
  readonly engine: VectorEngine;
  readonly reader: DocumentReader;
  readonly embedders: Pick<Embedders, 'select'>;
  readonly tools: RetrievalOptions['tools'];
  readonly limits: VectorLimits;
  readonly recordRequest: RecordRequest;
}

/** Whoever changes what a site knows. */
export interface Editor {
  readonly principal: Principal;
  readonly originIp: string;
  readonly signal: AbortSignal;
}

/** What a search found, if anything. */
export interface Found extends Retrieved {
  /** Whether it says enough about the question to rest an answer on. */
  readonly isRelevant: boolean;
}

/**
 * What the assistants of sites know: a sealed vector database for each site. Visitors bring no key, so it opens with the
 * key ring alone. Sites of others reject with `site.not_found`.
 */
export interface Knowledge {
  search(
    site: Site,
    search: { readonly text: string; readonly topK: number },
    signal: AbortSignal,
  ): Promise<Found>;
  /** Resolves once the content has arrived; the state tells the rest. */
  upload(
    editor: Editor,
    siteId: string,
    document: NewDocument,
  ): Promise<{ uploadId: string; documentId: string }>;
  /** Rejects with `upload.not_found`. */
  uploadState(accountId: AccountId, siteId: string, uploadId: string): Promise<UploadProgress>;
  watchUpload(accountId: AccountId, uploadId: string, signal: AbortSignal): AsyncIterable<UploadProgress>;
  cancelUpload(accountId: AccountId, siteId: string, uploadId: string): Promise<boolean>;
  documents(
    accountId: AccountId,
    siteId: string,
    page: { after?: string; limit: number },
  ): Promise<StoredDocument[]>;
  /** Rejects with `document.not_found`. */
  deleteDocument(editor: Editor, siteId: string, documentId: string): Promise<void>;
  /** Uploads end, the key is destroyed, the files go. */
  destroy(site: Site): Promise<void>;
  close(): Promise<void>;
}

export function createKnowledge(options: KnowledgeOptions): Knowledge {
  const { sites, customers, keyRing, engine, recordRequest, limits } = options;
  const bases = createBases(options);
  const documents: Documents = createDocuments({
    ...options,
    databases: bases,
    recorded: (asker, work, deadlineMs = limits.deadlineMs) =>
      recordRequest(
        {
          accountId: asker.principal.accountId,
          originIp: asker.originIp,
          functionId: REQUEST_IDS.aimee,
          signal: asker.signal,
          deadlineMs,
        },
        (signal) => work({ ...asker, signal }),
      ),
  });

  async function checkUpload(accountId: AccountId, siteId: string, uploadId: string): Promise<void> {
    const site = await sites.get(accountId, siteId);
    if (!uploadId.startsWith(uploadPrefixOf(site))) throw notFound('upload');
  }

  return {
    async search(site, { text, topK }, signal) {
      const nothing = { hits: [], changed: [], windows: new Map(), isRelevant: false };
      if (site.knowledge === null) return nothing;
      const { database, file } = await bases.openOf(site);
      try {
        const asker = { principal: principalOf(site), originIp: '', signal };
        const found = await retrieve(options, { opened: { database, file }, asker }, { text, topK }, topK);
        return { ...found, isRelevant: isRelevant(database, found, { text }) };
      } finally {
        file.key.fill(0);
      }
    },
    async upload(editor, siteId, document) {
      await sites.get(editor.principal.accountId, siteId);
      return await documents.upload(askerOf(editor), siteId, document);
    },
    async uploadState(accountId, siteId, uploadId) {
      await checkUpload(accountId, siteId, uploadId);
      return await documents.uploadState(serviceHolder(accountId), uploadId);
    },
    watchUpload: (accountId, uploadId, signal) =>
      documents.watchUpload(serviceHolder(accountId), uploadId, signal),
    async cancelUpload(accountId, siteId, uploadId) {
      await checkUpload(accountId, siteId, uploadId);
      return await documents.cancelUpload(serviceHolder(accountId), uploadId);
    },
    async documents(accountId, siteId, page) {
      const { knowledge } = await sites.get(accountId, siteId);
      return knowledge === null ? [] : await documents.documents(serviceHolder(accountId), siteId, page);
    },
    async deleteDocument(editor, siteId, documentId) {
      const { knowledge } = await sites.get(editor.principal.accountId, siteId);
      if (knowledge === null) throw notFound('document');
      await documents.deleteDocument(askerOf(editor), siteId, documentId);
    },
    async destroy(site) {
      await documents.cancel(({ databaseId }) => databaseId === databaseIdOf(site), notFound('site'));
      await keyRing.destroy(keyResourceOf(site));
      await engine.forget(databaseIdOf(site));
      await rm(directoryOf(customers, site), { recursive: true, force: true });
    },
    close: () => documents.close(),
  };
}

interface Opened {
  readonly database: VectorDatabase;
  readonly file: DatabaseFile;
}

interface Bases extends Pick<Databases, 'open' | 'list'> {
  /** Of a site that has one. The key is the caller's to wipe. */
  openOf(site: Site): Promise<Opened>;
}

/** The databases of sites in the form in which the vector service takes databases: they are called as their sites are. */
function createBases({ sites, customers, keyRing, engine, embedders }: KnowledgeOptions): Bases {
  const serial = createSerial();

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
        file: await fileOf(site, await keyRing.find(keyResourceOf(site))),
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
        file: await fileOf(site, await keyRing.find(keyResourceOf(site))),
      };
    },
    async list({ accountId }) {
      return (await sites.list(accountId)).filter(({ knowledge }) => knowledge !== null).map(described);
    },
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

function keyResourceOf({ accountId, id }: Site): string {
  return `aimee/${accountId}/${id}`;
}

function directoryOf(customers: Pick<Customers, 'directoryOf'>, { accountId, id }: Site): string {
  return join(customers.directoryOf(accountId), id);
}

/** A site's database has the site's own number. */
function databaseIdOf({ id }: Site): DatabaseId {
  return `db_${id.slice('site_'.length)}` as DatabaseId;
}

function uploadPrefixOf({ id }: Site): string {
  return `upl_${id.slice('site_'.length)}`;
}

/** For what an assistant does on its own: with the rights of a plain member of its customer's account. */
export function principalOf({ accountId }: Pick<Site, 'accountId'>): Principal {
  return { accountId, role: 'member' };
}

/** Knowledge opens with the key ring alone, so nobody's account key is asked for, or kept while a document is read. */
function serviceHolder(accountId: AccountId): Holder {
  return { accountId, accountKey: new Secret(new Uint8Array()) };
}

function askerOf({ principal, originIp, signal }: Editor): Asker {
  return { principal, holder: serviceHolder(principal.accountId), originIp, signal };
}
