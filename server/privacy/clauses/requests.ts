import type { Clause } from './clause.ts';
import { UNSEALED } from './open.ts';

/** Calls, questions to models, and SQL. */
export const requestClauses: readonly Clause[] = [
  {
    id: 'P5',
    wording: 'b96f98d9988612eb',
    modules: [
      'server/calls/call-record.ts',
      'server/calls/recorder.ts',
      'server/calls/retention.ts',
      'server/stores/migrations/calls/001-calls.ts',
      'server/gateway/data/origin-ip.ts',
    ],
    tests: [
      'privacy/calls.test.ts › but its record, with exactly the fields of decision D1',
      'server/stores/call-store.test.ts › a field that is not on the list is not stored',
      'server/stores/call-store.test.ts › leaves neither key nor file, and its ciphertext cannot be read again',
      'server/calls/retention.test.ts › go when their days are over, within an hour of the day’s end',
      'server/calls/retention.test.ts › survive a clock that is wrong for less than an hour, by a day or a year, forwards or back',
      'server/calls/retention.test.ts › that lie ahead of a clock that stays behind go when they have lain there for their days',
      "server/gateway/data/data-plane.test.ts › is the socket's peer whatever headers say",
    ],
  },
  {
    id: 'P6',
    wording: '8a25ab188485e989',
    modules: [
      'server/gateway/data/data-plane.ts',
      'server/calls/invoke.ts',
      'server/calls/console.ts',
      'server/sandbox/run-directory.ts',
      'server/gateway/data/sealed-call.ts',
      'guest/sealed/opening.ts',
      'guest/sealed/agent.ts',
      'clients/sdk/src/sealed/ohttp.ts',
    ],
    tests: [
      'privacy/calls.test.ts › in open or unlinked files, arguments or environments while calls run',
      'privacy/calls.test.ts › in any answer of the platform after every kind of call',
      'privacy/calls.test.ts › on disk, in stores opened with all keys, in logs or temporary directories',
      'privacy/negative-controls.test.ts › the harness catches',
      'acceptance/sealed-clients.test.ts › calls sealed as it calls plainly, and nothing of it is readable on the way',
      'acceptance/sealed.test.ts › that is sent again is refused and runs once',
      'hostile/sealed.test.ts › anywhere behind the key id is refused as everything else is, and the request opens nevertheless',
      'hostile/sealed.test.ts › twenty times at once runs once',
      'privacy/sealed.test.ts › in its memory or any file while the answer is on its way',
      'privacy/sealed.test.ts › in its memory or any answer of its own after calls of every outcome',
      'privacy/sealed.test.ts › while the same search finds a plain one, as its answer passes',
      'acceptance/sealed.test.ts › opens nothing that was sealed for another version',
      'server/calls/pool.test.ts › are never shared between two calling accounts',
    ],
  },
  {
    id: 'P7',
    wording: 'f719a34ac9cadbb6',
    modules: ['server/calls/record-request.ts', 'server/calls/request-kinds.ts'],
    tests: [
      'privacy/ai.test.ts › but records that tell neither model nor tokens nor tools',
      'acceptance/ai.test.ts › leaves one record of itself and one of each call, and nothing more',
    ],
  },
  {
    id: 'P8',
    wording: 'd59e7e0ad6e027dd',
    modules: [
      'server/ai/conversation.ts',
      'server/ai/create-queries.ts',
      'server/tool-sources/outside-fetch.ts',
    ],
    tests: [
      'privacy/ai.test.ts › in processes and in any answer of the platform',
      'privacy/ai.test.ts › on disk, in stores opened with all keys, in logs or temporary directories',
    ],
    open: UNSEALED,
  },
  {
    id: 'P9',
    wording: '35d5b19bbaeff3a7',
    modules: ['server/models/models.ts', 'server/models/embedded.ts', 'server/models/provider-request.ts'],
    tests: [
      'privacy/ai.test.ts › on disk, in stores opened with all keys, in logs or temporary directories',
      'server/models/models.test.ts › is never an outside provider that the account did not choose',
      'server/models/provider-model.test.ts › carries question, history and tools, and nothing that tells who asks',
      'server/models/provider-model.test.ts › are on at OpenAI',
    ],
  },
  {
    id: 'P19',
    wording: 'a6c229f67ab1c5a9',
    modules: ['server/sql/create-sql.ts', 'server/calls/record-request.ts'],
    tests: ['privacy/databases.test.ts › but records that tell neither names nor tables nor sizes'],
  },
  {
    id: 'P20',
    wording: '77794ad0a279dddc',
    modules: [
      'server/sql/external/external-sql.ts',
      'server/sql/external/session.ts',
      'server/sql/managed/create-managed-sql.ts',
    ],
    tests: [
      'privacy/databases.test.ts › on disk, in stores opened with every key that the service has, in logs or temporary directories',
      'server/sql/managed/secrecy.system.test.ts › holds no row and no name in the clear while a database works, and no file but its own',
    ],
    open: UNSEALED,
  },
  {
    id: 'P21',
    wording: '03b1a8ba06ed6850',
    modules: ['server/sql/ask/answer-question.ts', 'server/sql/ask/narrate.ts'],
    tests: [
      'privacy/databases.test.ts › on disk, in stores opened with every key that the service has, in logs or temporary directories',
      'server/sql/managed/secrecy.system.test.ts › and the log tell of no database',
    ],
  },
];
