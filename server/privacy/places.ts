/** Everything outside the columns of the data map where the platform keeps anything, or to where it sends anything. */

export interface Place {
  readonly where: string;
  readonly what: string;
  readonly protection: string;
  readonly retention: string;
  /** The modules that open files for writing there. */
  readonly modules: readonly string[];
}

/** Below the data directory. */
export const LASTING_PLACES: readonly Place[] = [
  {
    where: 'keys/, accounts/, functions/, databases/databases.db, calls/<day>.db, aimee/',
    what: 'The stores of the data map',
    protection: 'Encrypted, a random key each',
    retention: 'As their rows say',
    modules: ['server/stores/sqlite.ts'],
  },
  {
    where: '… .db.making, .next and .old, blobs/… .next, keys/root.key.next',
    what: 'A store, sealed file or root key that takes the place of another one',
    protection: 'As what it replaces; overwritten with zeros before it is removed',
    retention: 'While keys are rotated; after a crash until the next start or use',
    modules: [
      'server/stores/rekey.ts',
      'server/stores/cipher.ts',
      'server/keys/sealed-blob.ts',
      'server/keys/erase-file.ts',
    ],
  },
  {
    where: 'databases/db_…/',
    what: 'One vector or SQL database each',
    protection: 'Encrypted; a key that opens with the account’s own key alone',
    retention: 'Until the database is dropped',
    modules: ['server/databases/create-databases.ts', 'guest/sqlite/database.mjs', 'guest/sqlite/guard.mjs'],
  },
  {
    where: 'keys/root.key, or a salt',
    what: 'The key that all other keys are wrapped under',
    protection: 'Readable by the server’s user alone; none with a passphrase or command',
    retention: 'As long as the installation',
    modules: ['server/keys/root-key.ts'],
  },
  {
    where: 'blobs/',
    what: 'Code of deployed functions, with the sources of compiled ones, and uploads that wait for their build',
    protection: 'Sealed, a key each',
    retention: 'Until the version is deleted; uploads until their build ends',
    modules: ['server/functions/blobs.ts', 'server/keys/sealed-blob.ts', 'server/keys/sync-directory.ts'],
  },
  {
    where: 'layers/',
    what: 'Packages of public registries that functions depend on, and which account looked for which',
    protection: 'None: public packages; accounts stand there by their ids',
    retention:
      'Packages while a version needs them, or a month after the last look-up; look-ups until the account is erased',
    modules: ['server/languages/layer-store.ts', 'server/languages/hostile-tree.ts'],
  },
  {
    where: 'models/',
    what: 'Weights of models that were fetched',
    protection: 'None: public files',
    retention: 'Until the operator removes them',
    modules: ['server/models/pull-file.ts', 'server/embeddings/embedding-files.ts'],
  },
  {
    where: 'restore/, while a backup is checked or brought back',
    what: 'Files of a generation, until they take the place of the present ones',
    protection: 'As in the data directory: they are its files',
    retention: 'Until the check ends, or the restore is done or undone',
    modules: ['server/backups/restore.ts', 'server/backups/bring-back.ts', 'server/backups/verify.ts'],
  },
  {
    where: 'backups/tenant/',
    what: 'A tenant of the platform’s own, whose restore is proved with each generation',
    protection: 'Sealed, and nobody’s',
    retention: 'As long as its generation',
    modules: ['server/backups/synthetic-tenant.ts'],
  },
  {
    where: 'The two targets of backups, outside the data directory, if the operator has set them',
    what: 'Encrypted files as they are; apart from them the wrapped keys and tombstones, sealed under the root key',
    protection: 'No key that opens a file lies beside it; manifests are signed',
    retention: 'As many generations and days as are set; keys as long as in the key store',
    modules: ['server/backups/target.ts', 'server/backups/still-copy.ts', 'server/backups/key-backup.ts'],
  },
  {
    where: 'A file without a name, while a copy of an account arrives',
    what: 'The copy, until all of it has been checked and taken over',
    protection: 'Encrypted under a key in memory alone; nobody else can open the file',
    retention: 'Until it is taken over or refused; it ends with the process',
    modules: ['server/rights/packs/spool.ts'],
  },
  {
    where: 'lock',
    what: 'Number and start time of the server’s process',
    protection: 'None needed',
    retention: 'While the server runs',
    modules: ['server/data-directory.ts'],
  },
];

/** In memory file systems that end with the process, or in the kernel. */
export const PASSING_PLACES: readonly Place[] = [
  {
    where: 'The run directory: a file system in RAM of the server alone',
    what: 'What sandboxes start from: code, sockets, scratch directories of builds',
    protection: 'Never on a disk; private mounts; one directory an instance',
    retention: 'While the instance or build runs',
    modules: [
      'server/sandbox/run-directory.ts',
      'server/sandbox/base-system.ts',
      'server/sandbox/hand-over.ts',
      'server/sandbox/jail-core.ts',
      'server/sandbox/jail-files.ts',
      'server/sandbox/no-sandbox-jail.ts',
      'server/sandbox/write-tree.ts',
      'guest/backup/check.mjs',
    ],
  },
  {
    where: '/sys/fs/cgroup',
    what: 'Limits of memory, processor and tasks of each sandbox',
    protection: 'Numbers and process ids only',
    retention: 'While the instance runs',
    modules: ['server/sandbox/cgroups.ts'],
  },
  {
    where: 'Scratch directories of builds',
    what: 'What build tools read and write',
    protection: 'In RAM; from outside the sandbox never opened through links',
    retention: 'While the build runs',
    modules: ['server/languages/read-output.ts', 'guest/go/build.cjs', 'guest/java/copy.cjs'],
  },
];

export interface BrowserItem {
  readonly name: string;
  readonly kind: 'cookie' | 'local storage';
  readonly where: 'portal';
  readonly purpose: string;
  readonly retention: string;
  /** The modules that set it. */
  readonly modules: readonly string[];
}

/** What browsers keep for us: of people who sign in to the portal. Visitors of the chat keep nothing. */
export const BROWSER_ITEMS: readonly BrowserItem[] = [
  {
    name: '__Host-jellyfaas',
    kind: 'cookie',
    where: 'portal',
    purpose: 'Know the session of who is signed in',
    retention: 'Until the browser ends, or the session does',
    modules: ['server/gateway/portal/serve-sessions.ts', 'server/gateway/portal/serve-provider.ts'],
  },
  {
    name: '__Secure-jellyfaas-sign-in',
    kind: 'cookie',
    where: 'portal',
    purpose: 'Bind the answer of the identity provider to the browser that asked',
    retention: 'Ten minutes at most',
    modules: ['server/gateway/portal/serve-provider.ts'],
  },
  {
    name: 'theme',
    kind: 'local storage',
    where: 'portal',
    purpose: 'Show the portal light or dark, as chosen',
    retention: 'Until it is cleared in the browser; never sent',
    modules: ['web/portal/src/theme.ts'],
  },
  {
    name: 'language',
    kind: 'local storage',
    where: 'portal',
    purpose: 'Show the portal in the language that was chosen',
    retention: 'Until it is cleared in the browser; never sent',
    modules: ['web/portal/src/i18n.ts'],
  },
];

/** The one module that names cookies without setting one: it takes ours out of what passes through. */
export const COOKIE_FILTERS: readonly string[] = ['server/gateway/data/headers.ts'];

export interface Peer {
  readonly id: string;
  readonly who: string;
  readonly gets: string;
  /** Who decides that it is reached. */
  readonly chosenBy: 'operator' | 'account' | 'function' | 'nobody';
  /** The modules that open connections to it. */
  readonly modules: readonly string[];
}

/** Everybody with whom the platform opens a connection. */
export const PEERS: readonly Peer[] = [
  {
    id: 'inside',
    who: 'Processes of the platform itself, over sockets that others cannot reach',
    gets: 'What they work on',
    chosenBy: 'nobody',
    modules: [
      'server/calls/upstream.ts',
      'server/vectors/engine/engine-main.ts',
      'guest/backup/check.mjs',
      'guest/documents/reader.mjs',
      'guest/embeddings/engine.mjs',
      'guest/model/engine.mjs',
      'guest/sqlite/engine.mjs',
      'guest/egress-forwarder.cjs',
      'guest/node/worker.cjs',
      'guest/desk/door.ts',
      'guest/desk/main.ts',
      'guest/sealed/agent.ts',
      'guest/sealed/forward.ts',
    ],
  },
  {
    id: 'identity-provider',
    who: 'The identity provider',
    gets: 'That somebody signs in, and the answer to its own codes',
    chosenBy: 'operator',
    modules: [
      'server/sign-in/provider.ts',
      'server/sign-in/provider-fetch.ts',
      'server/sign-in/provider-sign-in.ts',
    ],
  },
  {
    id: 'model',
    who: 'Endpoints and providers of chat models',
    gets: 'Questions with what they need, without a name or address of who asks',
    chosenBy: 'account',
    modules: [
      'server/models/provider-clients.ts',
      'server/models/provider-fetch.ts',
      'server/models/provider-model.ts',
      'guest/desk/way-out.ts',
    ],
  },
  {
    id: 'embedding-model',
    who: 'An endpoint of an embedding model',
    gets: 'Passages and searches',
    chosenBy: 'operator',
    modules: ['server/embeddings/endpoint-embedder.ts'],
  },
  {
    id: 'model-source',
    who: 'Where the weights of a model are fetched',
    gets: 'The request for a public file',
    chosenBy: 'operator',
    modules: ['server/models/pull-file.ts'],
  },
  {
    id: 'function-host',
    who: 'Hosts that a function names; package registries while one is built; hosts of outside databases',
    gets: 'What the function, the build tool or the question sends',
    chosenBy: 'function',
    modules: [
      'server/sandbox/egress-guard.ts',
      'server/sandbox/egress-proxy.ts',
      'server/sandbox/guarded-agent.ts',
      'guest/node/proxy-route.cjs',
    ],
  },
  {
    id: 'sql-host',
    who: 'Outside databases that a question names, from a process of its own, through the guard',
    gets: 'The password of its own connection string and checked statements',
    chosenBy: 'account',
    modules: [
      'guest/sql/mysql.mjs',
      'guest/sql/postgres.mjs',
      'guest/sql/session.mjs',
      'guest/sql/tunnel.mjs',
    ],
  },
  {
    id: 'tool-source',
    who: 'Outside MCP servers that an account has connected',
    gets: 'Arguments of approved tools',
    chosenBy: 'account',
    modules: [
      'server/tool-sources/connection.ts',
      'server/tool-sources/transport.ts',
      'server/tool-sources/outside-fetch.ts',
    ],
  },
  {
    id: 'copy-receiver',
    who: 'Another installation, to which a person sends his own copy',
    gets: 'The copy, and the token of its invitation',
    chosenBy: 'account',
    modules: ['server/rights/transmissions.ts'],
  },
  {
    id: 'crawled-site',
    who: 'A customer’s own website, whose pages his assistant is to know',
    gets: 'Requests for public pages',
    chosenBy: 'account',
    modules: ['server/aimee/page-reader.ts'],
  },
  {
    id: 'backup-store',
    who: 'The operator’s S3-compatible store for backups',
    gets: 'Encrypted files, their sizes and when they changed',
    chosenBy: 'operator',
    modules: ['server/backups/s3-target.ts'],
  },
  {
    id: 'mail-server',
    who: 'The operator’s mail server, for the customer',
    gets: 'A visitor’s e-mail address and message, if he asks for a person',
    chosenBy: 'operator',
    modules: ['server/aimee/smtp.ts'],
  },
  {
    id: 'name-server',
    who: 'The name servers of the machine',
    gets: 'Host names that are to be reached',
    chosenBy: 'operator',
    modules: ['server/sandbox/egress-guard.ts'],
  },
];

export interface ConversationReader {
  readonly modules: readonly string[];
  readonly purpose: string;
  /** With whose key, and where it comes from. */
  readonly key: string;
}

/** Who puts keys of conversations together. No other module does: there is no job, no figure and no training over them. */
export const CONVERSATION_READERS: readonly ConversationReader[] = [
  {
    modules: [
      'server/aimee/conversations.ts',
      'server/aimee/conversation-reader.ts',
      'server/aimee/conversation-keys.ts',
      'server/aimee/entries.ts',
    ],
    purpose: 'Lists, search, export and open questions, for the customer who asks',
    key: 'The customer’s, which comes with his request and goes with it',
  },
  {
    modules: ['server/aimee/copied-conversations.ts'],
    purpose: 'The customer’s copy of what is kept for him, and taking one over',
    key: 'The customer’s, which comes with his request, or with the token of his invitation',
  },
  {
    modules: ['server/aimee/grants.ts'],
    purpose: 'Support, for a reason that the customer gave, each read in his log',
    key: 'Those of the conversations that the customer lends, for an hour at most',
  },
  {
    modules: ['server/aimee/visitor-requests.ts'],
    purpose: 'A visitor’s own copy, and what he has corrected, for the one conversation that he named',
    key: 'The customer’s, which comes with his request and goes with it',
  },
  {
    modules: ['server/aimee/conversation-writer.ts'],
    purpose: 'Adding what is said; nothing is read back',
    key: 'A new one, in memory and in the ticket that the visitor’s chat holds',
  },
];

/** Modules in whose text a request stands that they do not make: samples that authors copy. */
export const WRITTEN_REQUESTS: readonly string[] = ['server/functions/samples.ts'];
