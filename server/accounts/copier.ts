import * as z from 'zod';
import { rfc3339 } from '../kernel/clock.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { AccountChoices } from '../models/account-choices.ts';
import type { Profile } from '../profile/profile.ts';
import type { Copier, PackFile } from '../rights/copier.ts';
import type { Accounts } from './accounts.ts';

const Time = z.iso.datetime();

const Person = z.strictObject({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(['owner', 'member']),
  createdAt: Time,
  updatedAt: Time,
});
const PERSON: PackFile<z.infer<typeof Person>> = {
  name: 'profile',
  title: 'Name and e-mail address',
  nature: 'given',
  row: Person,
};

const Choice = z.strictObject({ platform: z.string() });
const CHOICES: PackFile<z.infer<typeof Choice>> = {
  name: 'model-choices',
  title: 'The platform of models that was chosen, and thereby agreed to',
  nature: 'given',
  row: Choice,
};

const Key = z.strictObject({ id: z.string(), createdAt: Time });
const KEYS: PackFile<z.infer<typeof Key>> = {
  name: 'api-keys',
  title: 'API keys by their ids; the keys themselves are stored nowhere',
  nature: 'observed',
  row: Key,
};

const Stored = z.strictObject({
  store: z.string(),
  table: z.string(),
  row: z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.strictObject({ bytes: z.int() })])),
});
const STORED: PackFile<z.infer<typeof Stored>> = {
  name: 'stored-rows',
  title:
    'Every row of every store that is the account’s, as it lies; hashes, keys and sealed values by their size',
  nature: 'observed',
  row: Stored,
};

export interface AccountsCopierOptions {
  readonly accounts: Pick<Accounts, 'get' | 'listKeys'>;
  readonly choices: Pick<AccountChoices, 'get'>;
  /** All rows of each table. */
  readonly profile: Profile;
}

/**
 * The person. Nothing of it is taken over elsewhere: whoever signs in there has an account with its own address, and agrees
 * to providers of models anew.
 */
export function createAccountsCopier({ accounts, choices, profile }: AccountsCopierOptions): Copier {
  return {
    area: 'accounts',
    files: [PERSON, CHOICES, KEYS, STORED],
    async exportTo({ accountId }, writer) {
      const { createdAt, updatedAt, ...person } = await accounts.get(accountId);
      await writer.rows(PERSON, [
        { ...person, createdAt: rfc3339(createdAt), updatedAt: rfc3339(updatedAt) },
      ]);
      const platform = await choices.get(accountId);
      await writer.rows(CHOICES, platform === undefined ? [] : [{ platform }]);
      const keys = await accounts.listKeys({ accountId, role: 'member' });
      await writer.rows(
        KEYS,
        keys.map(({ id, createdAt: at }) => ({ id, createdAt: rfc3339(at) })),
      );
      await writer.rows(STORED, storedRows(profile, accountId));
    },
  };
}

async function* storedRows(profile: Profile, accountId: AccountId): AsyncGenerator<z.infer<typeof Stored>> {
  for (const { store, table, columns, rows } of await profile.of(accountId)) {
    for (const values of rows) {
      const named = columns.map(({ name }, at) => [name, values[at] ?? null] as const);
      yield { store, table, row: Object.fromEntries(named) };
    }
  }
}
