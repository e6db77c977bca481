import type { AccountId } from '../kernel/ids.ts';
import type { Inventory, StoredTable } from './inventory.ts';

/** Everything that the installation holds of an account, in the order of its stores. */
export interface Profile {
  of(accountId: AccountId): Promise<StoredTable[]>;
}

export interface ProfileOptions {
  readonly inventories: readonly Inventory[];
  /** Of each table; the rest is counted. */
  readonly rowsMax: number;
}

export function createProfile({ inventories, rowsMax }: ProfileOptions): Profile {
  return {
    async of(accountId) {
      const tables: StoredTable[] = [];
      for (const inventory of inventories) tables.push(...(await inventory.of(accountId, rowsMax)));
      return tables;
    },
  };
}
