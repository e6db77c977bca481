import type { Clause } from './clause.ts';

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
    wording: 'f99466f9b8186e74',
    modules: [
      'server/vectors/ingest.ts',
      'server/vectors/retrieval.ts',
      'server/vectors/answers.ts',
      'server/vectors/engine/sealing.ts',
      'server/gateway/desk/door-vectors.ts',
      'guest/desk/vectors.ts',
      'guest/desk/engine.ts',
    ],
    tests: [
      'privacy/databases.test.ts › in processes, their open files, arguments and environments, and in any answer of the platform',
      'privacy/databases.test.ts › on disk, in stores opened with every key that the service has, in logs or temporary directories',
      'privacy/sealed-vectors.test.ts › nor of what is searched, asked and found, in its memory or any answer of its own',
      'privacy/sealed-vectors.test.ts › while the same search finds a plain one',
      'acceptance/sealed-vectors.test.ts › can be searched and asked, sealed and plainly, and nothing of it stands on the wire',
      'guest/desk/engine.test.ts › what was changed anywhere, and still answers',
      'guest/desk/engine.test.ts › what was sealed for another database',
    ],
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
    wording: 'f6b3894a3e4ad89b',
    modules: ['server/keys/key-ring.ts', 'server/backups/key-backup.ts', 'server/backups/retire.ts'],
    tests: [
      'server/stores/key-store.test.ts › is gone from memory, from the store and from every page of the file',
      'server/backups/backups.test.ts › opens in no generation with all keys that are left',
      'server/backups/backups.test.ts › stays dead after a restore, whoever brought old keys back, too',
      'server/backups/backups.test.ts › is said to be gone only when the backup of the keys has forgotten it',
      'server/backups/backups.test.ts › removes by age while no new generation can be made',
      'server/backups/backups.test.ts › removes by number when the clock stands still',
    ],
  },
  {
    id: 'P18',
    wording: '563c7f9cd3ed4e26',
    modules: [
      'server/backups/verify.ts',
      'server/backups/restore-requests.ts',
      'server/backups/access-log.ts',
      'server/backups/store-checker.ts',
      'server/databases/database-locks.ts',
    ],
    tests: [
      'server/backups/backups.test.ts › holds no key and not a word of anybody',
      'server/backups/backups.test.ts › takes two people',
      'server/backups/verify.test.ts › finds a target that was put back to an earlier state',
      'server/backups/verify.test.ts › is told of in the log, with what it found',
      'hostile/backups.test.ts › are made while everything is written to, and hold not a word of it',
      'hostile/backups.test.ts › are restored by two people, and bring back nothing that was deleted since',
      'hostile/databases.test.ts › a stolen disk with every key that the service has',
    ],
  },
];
