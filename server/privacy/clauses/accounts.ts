import type { Clause } from './clause.ts';

export const accountClauses: readonly Clause[] = [
  {
    id: 'P1',
    wording: 'fc63cb7d3e046ab9',
    modules: [
      'server/privacy/data-map/data-map.ts',
      'server/privacy/places.ts',
      'server/privacy/log-fields.ts',
      'server/privacy-statement/statement.ts',
      'server/kernel/events.ts',
      'server/sandbox/egress-guard.ts',
    ],
    tests: [
      'privacy/contract.test.ts › has a row for every column, and a column for every row',
      'privacy/contract.test.ts › are opened for writing by declared modules alone',
      'privacy/contract.test.ts › are opened by declared modules alone',
      'privacy/contract.test.ts › say what each of their fields holds',
      'privacy/calls.test.ts › on disk, in stores opened with all keys, in logs or temporary directories',
    ],
  },
  {
    id: 'P2',
    wording: '77334e85b4bddf12',
    modules: [
      'server/sign-in/provider.ts',
      'server/sign-in/token-verifier.ts',
      'server/sign-in/provider-role.ts',
    ],
    tests: [
      'acceptance/sign-in.test.ts › makes an account at the first time, unlocked, and shows its first key once',
      'acceptance/sign-in.test.ts › confirms nobody by somebody else',
      'server/sign-in/provider.test.ts › may change at any time',
      'server/sign-in/provider.test.ts › is one for as long as the latest tokens of the provider say so',
      'server/stores/account-store.test.ts › finds the account that was made for it, over a restart',
    ],
  },
  {
    id: 'P3',
    wording: '91d2f072d88207b0',
    modules: ['server/profile/profile.ts', 'server/stores/inventory.ts', 'server/stores/inventory-rules.ts'],
    tests: [
      'server/stores/inventory.test.ts › knows every column of every table of every store',
      'server/stores/inventory.test.ts › shows what it holds as it stands, and of hashes and keys how long they are',
    ],
  },
  {
    id: 'P4',
    wording: 'a9ab8b0b7fdd0ebd',
    modules: ['server/sign-in/claims.ts', 'server/sign-in/sessions.ts', 'server/gateway/portal/cookies.ts'],
    tests: [
      'acceptance/sign-in.test.ts › takes an API key, is accessible, keeps nothing in the browser before, and keeps to its policy',
      'acceptance/sign-in.test.ts › signs everybody out',
      'server/sign-in/provider.test.ts › tells of a person what is kept, and no more gets in',
      'server/stores/account-store.test.ts › and keys are stored without a plaintext byte and without the key itself',
      'privacy/contract.test.ts › are the declared ones',
    ],
  },
];
