import type { Clause } from './clause.ts';
import { UNSEALED } from './open.ts';

/** Vector databases, and backups of whatever lasts. */
export const databaseClauses: readonly Clause[] = [
  {
    id: 'P10',
    wording: 'a85da9c96a934461',
    modules: ['server/vectors/create-vectors.ts', 'server/calls/record-request.ts'],
    tests: [
      'privacy/databases.test.ts › but records that tell neither names nor tables nor sizes',
      'server/vectors/create-vectors.test.ts › leaves one record, and one about databases none',
    ],
  },
  {
    id: 'P11',
    wording: '2cd38045ba787c43',
    modules: ['server/stores/migrations/vectors/001-vectors.ts', 'server/vectors/engine/vector-database.ts'],
    tests: [
      'server/vectors/engine/erasure.test.ts › keep words as keyed hashes only, and in strict databases no text at all',
      'privacy/databases.test.ts › and in a strict one not a word of the document',
    ],
  },
  {
    id: 'P12',
    wording: '1f91ca5065303d1f',
    modules: [
      'server/documents/jailed-reader.ts',
      'server/gateway/vectors/receive-document.ts',
      'server/vectors/intake.ts',
    ],
    tests: [
      'server/documents/jailed-reader.system.test.ts › leaves nothing of the document on the host, neither while it runs nor after',
      'privacy/databases.test.ts › even there not the file name, the question, the search or its vector',
    ],
  },
  {
    id: 'P13',
    wording: '097cc566f168ffe3',
    modules: [
      'server/databases/database-locks.ts',
      'server/accounts/live-keys.ts',
      'server/accounts/tokens.ts',
    ],
    tests: [
      'hostile/databases.test.ts › a stolen disk with every key that the service has',
      'hostile/databases.test.ts › opens nothing: %s',
      'hostile/databases.test.ts › does not exist for %s %s',
      'server/stores/database-store.test.ts › does not open for the service alone: no name, setting or key is readable without the account key',
    ],
  },
  {
    id: 'P14',
    wording: '0a36c5173c0711bd',
    modules: ['server/vectors/ingest.ts', 'server/vectors/retrieval.ts', 'server/vectors/answers.ts'],
    tests: [
      'privacy/databases.test.ts › in processes, their open files, arguments and environments, and in any answer of the platform',
      'privacy/databases.test.ts › on disk, in stores opened with every key that the service has, in logs or temporary directories',
    ],
    open: UNSEALED,
  },
  {
    id: 'P15',
    wording: 'ce9c26897a1d7d5d',
    modules: [
      'server/vectors/retrieval.ts',
      'server/vectors/answers.ts',
      'server/embeddings/embedded-embedder.ts',
    ],
    tests: [
      'privacy/databases.test.ts › even there not the file name, the question, the search or its vector',
    ],
  },
  {
    id: 'P16',
    wording: '9a52b770acc98d25',
    modules: ['server/databases/create-databases.ts', 'server/keys/key-ring.ts', 'server/keys/receipts.ts'],
    tests: [
      'server/stores/database-store.test.ts › destroys the key before anybody hears of it, then the files, and frees the name',
      'server/stores/database-store.test.ts › gives a receipt that anybody can check and that names nothing',
      'acceptance/vectors.test.ts › is gone with a drop, whatever runs, and the receipt says so',
      'hostile/databases.test.ts › ends what still runs as if it had never been, and leaves no file',
    ],
  },
  {
    id: 'P17',
    wording: '6c1dd83a448c00b3',
    modules: ['server/keys/key-ring.ts'],
    tests: [
      'server/stores/key-store.test.ts › is gone from memory, from the store and from every page of the file',
    ],
    open: {
      en: 'Not kept yet: this version makes no backups, so it bounds the age of none.',
      de: 'Noch nicht eingelöst: Diese Version macht keine Backups und begrenzt darum auch kein Alter.',
    },
  },
  {
    id: 'P18',
    wording: 'bea5a8d2947302fd',
    modules: ['server/databases/database-locks.ts'],
    tests: ['hostile/databases.test.ts › a stolen disk with every key that the service has'],
    open: {
      en: 'Not kept yet: this version neither makes nor checks backups, and records no access to copies of the operator’s own.',
      de: 'Noch nicht eingelöst: Diese Version macht und prüft keine Backups und verzeichnet keinen Zugriff auf Kopien des Betreibers.',
    },
  },
];
