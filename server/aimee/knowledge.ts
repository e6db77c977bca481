import type { Holder, Principal } from '../accounts/principal.ts';
import type { RecordRequest } from '../calls/record-request.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { DocumentReader } from '../documents/document-reader.ts';
import { PlatformError, notFound } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createTurns } from '../kernel/turns.ts';
import { type Documents, createDocuments } from '../vectors/documents.ts';
import type { StoredDocument } from '../vectors/engine/vector-engine.ts';
import type { VectorLimits } from '../vectors/limits.ts';
import { isRelevant } from '../vectors/relevance.ts';
import { type Retrieved, type RetrievalOptions, retrieve } from '../vectors/retrieval.ts';
import type { Asker, NewDocument, UploadProgress } from '../vectors/vectors.ts';
import { type Bases, type BasesOptions, type Opened, createBases, databaseIdOf } from './knowledge-bases.ts';
import type { AimeeLimits } from './limits.ts';
import { rememberPassages } from './passage-vectors.ts';
import type { Site, SiteName } from './sites.ts';

export interface KnowledgeOptions extends BasesOptions {
  readonly reader: DocumentReader;
  readonly tools: RetrievalOptions['tools'];
  readonly limits: VectorLimits;
  readonly searchLimits: SearchLimits;
  readonly recordRequest: RecordRequest;
}

type SearchLimits = Pick<
  AimeeLimits,
  'passagesWeighed' | 'searchesAtOnce' | 'searchesPerAccount' | 'passageVectorsMax'
>;

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
  readonly bases: Pick<Bases, 'open' | 'openOf'>;
  /** Encrypts it anew under other keys for all sites of an account; how many. */
  rotateKeys(accountId: AccountId): Promise<number>;
  /** Uploads end, the key is destroyed, the files go. */
  destroy(site: SiteName): Promise<void>;
  close(): Promise<void>;
}

export function createKnowledge(options: KnowledgeOptions): Knowledge {
  const { sites, recordRequest, limits } = options;
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
    bases,
    search: createSearch(options, bases),
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
    rotateKeys: (accountId) => bases.rotateKeys(accountId),
    async destroy(site) {
      await documents.cancel(({ databaseId }) => databaseId === databaseIdOf(site), notFound('site'));
      await bases.destroy(site);
    },
    close: () => documents.close(),
  };
}

function createSearch(options: KnowledgeOptions, bases: Bases): Knowledge['search'] {
  const { passagesWeighed, searchesAtOnce, searchesPerAccount, passageVectorsMax } = options.searchLimits;
  const parts = { ...options, embedders: rememberPassages(options.embedders, passageVectorsMax) };
  const takeTurn = createTurns({ atOnce: searchesAtOnce, perHolder: searchesPerAccount });

  async function searchIn(opened: Opened, { site, text, topK, signal }: Search): Promise<Found> {
    const asker = { principal: principalOf(site), originIp: '', signal };
    const found = await retrieve(parts, { opened, asker }, { text, topK }, passagesWeighed);
    return { ...found, isRelevant: isRelevant(opened.database, found, { text }) };
  }

  return async (site, { text, topK }, signal) => {
    if (site.knowledge === null) return { hits: [], changed: [], windows: new Map(), isRelevant: false };
    const leave = await takeTurn(site.accountId, signal);
    try {
      const searched = async (): Promise<Found> => {
        const opened = await bases.openOf(site);
        return await searchIn(opened, { site, text, topK, signal }).finally(() => opened.file.key.fill(0));
      };
      return await searched().catch(async (thrown: unknown) => {
        if (!isGone(thrown)) throw thrown;
        // It got another key meanwhile. Visitors cannot ask again.
        return await searched();
      });
    } finally {
      leave();
    }
  };
}

interface Search {
  readonly site: Site;
  readonly text: string;
  readonly topK: number;
  readonly signal: AbortSignal;
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof PlatformError && thrown.code === 'database.not_found';
}

function uploadPrefixOf({ id }: Site): string {
  return `upl_${id.slice('site_'.length)}`;
}

/** For what an assistant does on its own: with the rights of a plain member of its customer's account. */
export function principalOf({ accountId }: Pick<Site, 'accountId'>): Principal {
  return { accountId, role: 'member' };
}

/** Knowledge opens with the key ring alone, so nobody's account key is asked for, or kept while a document is read. */
export function serviceHolder(accountId: AccountId): Holder {
  return { accountId, accountKey: new Secret(new Uint8Array()) };
}

function askerOf({ principal, originIp, signal }: Editor): Asker {
  return { principal, holder: serviceHolder(principal.accountId), originIp, signal };
}
