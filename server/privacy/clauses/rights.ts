import type { Clause } from './clause.ts';

export const rightClauses: readonly Clause[] = [
  {
    id: 'P39',
    wording: 'c62c6ae193275319',
    modules: ['server/privacy-statement/clauses.json'],
    tests: ['privacy/contract.test.ts › are each bound to modules that are there and to tests that run'],
  },
  {
    id: 'P40',
    wording: '62a18b7f99df8872',
    modules: [
      'server/profile/profile.ts',
      'server/accounts/create-accounts.ts',
      'server/rights/requests.ts',
      'server/aimee/visitor-requests.ts',
    ],
    tests: [
      'server/rights/requests.test.ts › for what the platform does itself is done when it answers, with a receipt that names nobody',
      'server/rights/requests.test.ts › is extended once, by two months, inside the first, with a reason that the person reads',
      'server/rights/requests.test.ts › is refused with a reason and a receipt, and that is its end',
      'server/aimee/visitor-requests.test.ts › to access is a copy of the one conversation, and ends with it',
      'server/aimee/visitor-requests.test.ts › to restriction keeps it from everybody: readers, searches, exports, support, retention, and itself',
      'server/aimee/visitor-requests.test.ts › to objection takes it out of searches, overviews and statistics; the customer still reads it',
    ],
    open: {
      en: 'Not kept yet: access and rectification work; erasure, restriction, portability and objection do not yet for an account as a whole.',
      de: 'Noch nicht eingelöst: Auskunft und Berichtigung gehen; Löschung, Einschränkung, Übertragbarkeit und Widerspruch noch nicht für ein Konto als Ganzes.',
    },
  },
  {
    id: 'P41',
    wording: 'c366e2ab8f0fc99d',
    modules: [
      'server/profile/profile.ts',
      'server/stores/inventory.ts',
      'server/rights/copies.ts',
      'server/privacy/published/copy-page.ts',
    ],
    tests: [
      'server/stores/inventory.test.ts › knows every column of every table of every store',
      'acceptance/portability.test.ts › has the person, his keys by name, his calls, and every row of every store',
      'acceptance/portability.test.ts › has nothing of anybody else, and no secret',
      'acceptance/portability.test.ts › tells people what it is, in a page that loads nothing and believes nothing',
    ],
  },
  {
    id: 'P42',
    wording: 'e6f8de539b19b134',
    modules: [
      'server/accounts/person.ts',
      'server/accounts/create-accounts.ts',
      'server/stores/account-store.ts',
    ],
    tests: [
      'server/stores/inventory.test.ts › puts name and address in the place of the old ones',
      'server/stores/inventory.test.ts › is not undone by the identity provider',
      'server/stores/inventory.test.ts › refuses what is no address, and one that somebody else has',
      'server/aimee/visitor-requests.test.ts › to rectification is a note beside the message, sealed as that is, and in the copy',
    ],
  },
  {
    id: 'P43',
    wording: '081819afaa68e210',
    modules: [
      'server/functions/delete.ts',
      'server/databases/create-databases.ts',
      'server/keys/key-ring.ts',
    ],
    tests: [
      'server/stores/function-store.test.ts › keeps nothing of what was deleted, not even for the holder of its key',
      'server/stores/key-store.test.ts › takes all keys of its account along, and nobody else’s',
      'server/stores/call-store.test.ts › an erased account has no row in any day, and others keep theirs',
    ],
    open: {
      en: 'Not kept yet in full: everything in an account can be deleted one by one, the account as a whole cannot.',
      de: 'Noch nicht ganz eingelöst: Alles in einem Konto lässt sich einzeln löschen, das Konto als Ganzes nicht.',
    },
  },
  {
    id: 'P44',
    wording: '3be0ca4f8d5fab9e',
    modules: [],
    tests: [],
    open: {
      en: 'Not kept yet: nothing in the platform can be told to store data and not to use it.',
      de: 'Noch nicht eingelöst: Nichts in der Plattform kann angewiesen werden, Daten nur zu speichern und nicht zu nutzen.',
    },
  },
  {
    id: 'P45',
    wording: '77c99eabc10d2c95',
    modules: [
      'server/rights/packs/write-pack.ts',
      'server/rights/packs/read-pack.ts',
      'server/rights/packs/spool.ts',
      'server/rights/invitations.ts',
      'server/rights/transmissions.ts',
      'server/aimee/export.ts',
      'server/sql/managed/create-managed-sql.ts',
    ],
    tests: [
      'acceptance/portability.test.ts › gives the same copy there, but for ids and times',
      'acceptance/portability.test.ts › works there: functions answer, questions find, rows are read, conversations open',
      'acceptance/portability.test.ts › is sent once: the token is used up, and another one never was any',
      'server/rights/packs/packs.test.ts › is a BagIt bag whose every payload file has the hash that its manifest says',
      'server/rights/packs/packs.test.ts › is refused when it unpacks to too much, whatever it declares',
      'server/rights/packs/packs.test.ts › is refused or taken whole wherever it is cut, and wherever one bit of it differs',
      'server/rights/transmissions.test.ts › goes nowhere but to a public receiver over TLS: not to %s',
      'server/rights/transmissions.test.ts › cannot send the copy elsewhere by status %i',
      'server/rights/transmissions.test.ts › that breaks off, takes nothing or never answers holds the copy no longer than the deadline',
      'server/rights/invitations.test.ts › opens the account of who invited, and is used up by it',
      'hostile/packs.test.ts › adds no version to a function that is there, by naming it in its settings alone',
      'hostile/packs.test.ts › changes nothing about who somebody is',
      'hostile/packs.test.ts › lets nobody send one without an invitation, and looks at nothing of it',
      'server/sql/managed/transfers.system.test.ts › that is imported again gives the same database',
    ],
  },
];
