import { notFound, PlatformError } from '../../../kernel/errors.ts';
import type { DatabaseId } from '../../../kernel/ids.ts';
import type {
  Asker,
  DescribedVectorDatabase,
  NewDocument,
  QueryResult,
  UploadProgress,
  VectorAnswer,
  Vectors,
} from '../../../vectors/vectors.ts';
import { NOW } from '../../testing/fakes.ts';
import type { VectorParts } from '../parts.ts';

export interface FakeVectors extends VectorParts {
  readonly service: Vectors;
  /** What was asked of the service, newest last: method, account, arguments. */
  readonly asked: { readonly method: string; readonly asker?: Asker; readonly what: unknown }[];
  /** What arrived of the last document. */
  received: { readonly text: string; readonly document: Omit<NewDocument, 'content'> } | undefined;
  /** What is answered; a test replaces it. */
  answer: (onText: (text: string) => void, signal: AbortSignal) => Promise<VectorAnswer>;
  state: UploadProgress;
  /** Why a document is refused. */
  refusal: PlatformError | undefined;
}

const SPAN = { documentId: 'handbook', start: 10, end: 25, page: 2, headings: ['Pumps'] };

export const HITS: QueryResult = {
  hits: [
    {
      id: 'handbook#1',
      score: 0.8,
      keywordScore: null,
      metadata: { year: 2026, draft: false, owner: null },
      text: 'Close the valve.',
      span: SPAN,
    },
  ],
  changed: [SPAN],
};

export const ANSWER: VectorAnswer = {
  answer: 'Close it. [1]',
  engine: 'model',
  finish: 'complete',
  citations: [{ number: 1, ...SPAN, score: 0.8, quote: 'Close the valve.' }],
  changed: [],
  platform: 'own',
  model: 'scripted',
  retention: 'none',
};

export const DATABASE: DescribedVectorDatabase = {
  name: 'manuals',
  kind: 'sealed',
  metric: 'cosine',
  dimensions: 384,
  model: 'mini@0',
  resolver: null,
  createdAt: NOW,
  records: 3,
  documents: 1,
  bytes: 4096,
  index: 'exact',
};

/** Knows one database; answers what the test says. */
export function fakeVectors(): FakeVectors {
  const asked: FakeVectors['asked'] = [];
  const note = (method: string, asker: Asker | undefined, what: unknown): void =>
    void asked.push({ method, ...(asker !== undefined && { asker }), what });
  const names = new Set([DATABASE.name]);
  const find = (name: string): void => {
    if (!names.has(name)) throw notFound('database');
  };
  const fake: FakeVectors = {
    service: {
      ...fakeDatabases(names, { find, note }),
      ...fakeDocuments(() => fake, { find, note }),
      async upsert(asker, _name, records) {
        note('upsert', asker, records);
        return { inserted: records.length, updated: 0 };
      },
      async delete(asker, _name, what) {
        note('delete', asker, what);
        return 2;
      },
      async query(asker, name, query) {
        find(name);
        note('query', asker, query);
        return HITS;
      },
      ask(asker, name, question, onText = () => undefined) {
        find(name);
        note('ask', asker, question);
        return fake.answer(onText, asker.signal);
      },
      close: async () => undefined,
    },
    originIp: () => '192.0.2.1',
    asked,
    received: undefined,
    answer: async () => ANSWER,
    refusal: undefined,
    state: {
      uploadId: 'upl_1',
      documentId: 'handbook',
      status: 'completed',
      pagesDone: 2,
      pages: 2,
      passages: 3,
      embedded: 3,
      error: null,
    },
  };
  return fake;
}

interface Noting {
  readonly find: (name: string) => void;
  readonly note: (method: string, asker: Asker | undefined, what: unknown) => void;
}

function fakeDatabases(
  names: Set<string>,
  { find, note }: Noting,
): Pick<Vectors, 'create' | 'list' | 'describe' | 'drop'> {
  const { records: _records, documents: _documents, bytes: _bytes, index: _index, ...listed } = DATABASE;
  return {
    async create(_holder, form) {
      note('create', undefined, form);
      if (names.has(form.name))
        throw new PlatformError({ kind: 'already_exists', code: 'databases.name_taken', message: 'Taken.' });
      names.add(form.name);
      return { ...listed, name: form.name, kind: form.kind };
    },
    list: async () => [...names].map((name) => ({ ...listed, name })),
    async describe(_holder, name) {
      find(name);
      return DATABASE;
    },
    async drop(_holder, name) {
      find(name);
      names.delete(name);
      return { id: 'db_00000000000000000001' as DatabaseId, kind: 'vector', receipt: 'a.b.c' };
    },
  };
}

type DocumentMethods =
  | 'upload'
  | 'uploadState'
  | 'watchUpload'
  | 'cancelUpload'
  | 'extract'
  | 'documents'
  | 'deleteDocument';

function fakeDocuments(fake: () => FakeVectors, { find, note }: Noting): Pick<Vectors, DocumentMethods> {
  const take = async ({ content, ...document }: NewDocument): Promise<void> => {
    const { refusal } = fake();
    if (refusal !== undefined) throw refusal;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    fake().received = { text: Buffer.concat(chunks).toString('utf8'), document };
  };
  return {
    async upload(asker, name, document) {
      find(name);
      note('upload', asker, name);
      await take(document);
      return { uploadId: fake().state.uploadId, documentId: document.documentId ?? 'hashed' };
    },
    async uploadState(_holder, uploadId) {
      if (uploadId !== fake().state.uploadId) throw notFound('upload');
      return fake().state;
    },
    async *watchUpload() {
      yield { ...fake().state, status: 'embedding' };
      yield fake().state;
    },
    cancelUpload: async () => true,
    async extract(_asker, document) {
      await take(document);
      return 'the text';
    },
    documents: async () => [{ documentId: 'handbook', passages: 3, metadata: { year: 2026 } }],
    async deleteDocument(asker, _name, documentId) {
      note('deleteDocument', asker, documentId);
    },
  };
}
