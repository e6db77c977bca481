import { BY_RESTRICTION, TECHNICAL, describeMigrations, describeTable } from './row.ts';

/** What a call leaves behind: these six columns and nothing else. */
export const callRows = [
  ...describeMigrations('calls', 'calls'),
  ...describeTable({
    store: 'calls',
    table: 'call',
    useCase: 'calls',
    subject: 'account holder',
    basis: 'Art. 6(1)(f) GDPR: legitimate interest',
    retention: 'The days that the installation is set to, then destroyed with the day’s key',
    recipients: [],
    purpose: 'Show the caller what was called with his keys',
    exporter: 'route:getCopy',
    eraser: 'code:server/calls/keeper.ts#erase',
    restrictor: BY_RESTRICTION,
    columns: {
      account_id: 'identifier',
      function_id: { category: 'identifier', purpose: 'Count the calls of a function' },
      version: { category: 'technical', purpose: 'Count the calls of a version' },
      origin_ip: { category: 'IP address', purpose: 'Let the account notice misuse of its keys' },
      duration_ms: { category: 'usage figures', purpose: 'Statistics of the time taken' },
      ok: { category: 'usage figures', purpose: 'Statistics of success' },
    },
  }),
];

export const databaseRows = [
  ...describeMigrations('databases', 'vectors'),
  ...describeTable({
    store: 'databases',
    table: 'database',
    useCase: 'vectors',
    subject: 'account holder',
    basis: 'Art. 6(1)(b) GDPR: contract',
    retention: 'Until the database is dropped or the account erased',
    recipients: [],
    purpose: 'Find and open the databases of an account; names and settings open with its key alone',
    exporter: 'route:getCopy',
    eraser: 'code:server/databases/create-databases.ts#drop',
    restrictor: BY_RESTRICTION,
    columns: {
      id: 'identifier',
      account_id: 'identifier',
      kind: 'settings',
      name_hash: 'keyed hash',
      description: 'content, sealed',
      wrapped_key: 'key, wrapped',
    },
  }),
];

/** The whole file opens with the key of its owner alone. */
const KNOWLEDGE = {
  store: 'vectors',
  useCase: 'vectors',
  subject: 'persons in customer data',
  basis: 'Art. 28 GDPR: on behalf of the customer',
  recipients: [],
  exporter: 'route:getCopy',
  eraser: 'route:deleteDocument',
  restrictor: BY_RESTRICTION,
} as const;
const FILE_ONLY = { ...KNOWLEDGE, ...TECHNICAL } as const;
const WITH_RECORD = 'Until its document or record is deleted, or the database dropped';

export const vectorRows = [
  ...describeMigrations('vectors', 'vectors'),
  ...describeTable({
    ...FILE_ONLY,
    table: 'setting',
    purpose: 'Know how vectors are compared and what may be kept',
    retention: 'Until the database is dropped',
    columns: {
      only: 'technical',
      kind: 'settings',
      dimensions: 'settings',
      metric: 'settings',
      model: 'settings',
      hash_keys: 'technical',
    },
  }),
  ...describeTable({
    ...FILE_ONLY,
    table: 'total',
    purpose: 'Bounds without counting all records',
    retention: 'Until the database is dropped',
    columns: { only: 'technical', records: 'usage figures' },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'document',
    purpose: 'List, replace and delete documents as a whole; a file’s own name stands here as a keyed hash',
    retention: 'Until the document is deleted, or the database dropped',
    exporter: 'route:getCopy',
    columns: { key: 'technical', document_id: 'identifier', metadata: 'content' },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'record',
    purpose: 'Cite a passage and prove that its text is unchanged; headings in sealed databases only',
    retention: WITH_RECORD,
    columns: {
      key: 'technical',
      id: 'identifier',
      document: 'technical',
      start_offset: 'technical',
      end_offset: 'technical',
      page: 'technical',
      headings: { category: 'content', recipients: ['model'] },
      text_hash: 'keyed hash',
    },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'vector',
    purpose: 'Search by meaning',
    retention: WITH_RECORD,
    columns: { record: 'technical', value: 'content' },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'passage',
    purpose: 'Answer with the text that was found; sealed databases only',
    retention: WITH_RECORD,
    columns: {
      record: 'technical',
      text: { category: 'content', recipients: ['model', 'embedding-model'] },
    },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'field',
    purpose: 'Filter by what the owner wrote beside a record, and give it back',
    retention: WITH_RECORD,
    columns: { record: 'technical', name: 'content', kind: 'technical', value: 'content' },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'words',
    purpose: 'Search by words, which stand here as keyed hashes of four bytes',
    retention: WITH_RECORD,
    exporter: 'none: keyed hashes of words, made from passages that the copy has',
    columns: { record: 'technical', counts: 'keyed hash' },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'upload',
    purpose: 'Tell how an upload went, and go on with an interrupted one',
    retention: 'A day',
    exporter: 'route:getDocumentUpload',
    eraser: 'route:cancelDocumentUpload',
    columns: {
      upload_id: 'identifier',
      document_id: 'identifier',
      metadata: 'content',
      state: 'technical',
      passages: 'usage figures',
      code: 'technical',
      run: 'technical',
      begun_at: 'time',
    },
  }),
  ...describeTable({
    ...KNOWLEDGE,
    table: 'staged',
    purpose: 'What an upload has read so far; text, words and headings in sealed databases only',
    retention: 'Until its upload ends, at most a day',
    eraser: 'route:cancelDocumentUpload',
    exporter: 'none: parts of an upload that has not ended; its document is in the copy when it has',
    columns: {
      key: 'technical',
      upload_id: 'identifier',
      start_offset: 'technical',
      end_offset: 'technical',
      page: 'technical',
      headings: 'content',
      text: { category: 'content', recipients: ['embedding-model'] },
      words: 'keyed hash',
      text_hash: 'keyed hash',
      value: 'content',
    },
  }),
];

/** Tables of a managed database are its owner's, who may do with them what he likes; this one is ours. */
export const sqlRows = describeTable({
  ...FILE_ONLY,
  store: 'sql',
  useCase: 'sql',
  table: '_jellyfaas_migration',
  purpose: 'Know which changes of the schema the owner has made, so that none is made twice',
  retention: 'Until the database is dropped',
  columns: { id: 'settings', hash: 'technical' },
});
