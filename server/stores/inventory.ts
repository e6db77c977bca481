import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { AccountId } from '../kernel/ids.ts';
import type { Inventory, StoredTable, StoredValue, Withheld } from '../profile/inventory.ts';

/** What a table holds of accounts, column by column. */
export interface TableRule {
  /** Which rows are the account's. */
  readonly owner: (accountId: AccountId) => RawBuilder<unknown>;
  readonly columns: Readonly<Record<string, Withheld | 'shown'>>;
  /** Its rows are told by their number alone. */
  readonly isCounted?: true;
}

/** By table; null for those that hold nothing of any account. */
export type InventoryRules = Readonly<Record<string, TableRule | null>>;

export interface InventoryOptions {
  readonly store: string;
  readonly rules: InventoryRules;
}

export interface InventoryQuestion {
  readonly accountId: AccountId;
  readonly rowsMax: number;
}

/** The rows whose `column` names the account. */
export function ownedBy(column: string): TableRule['owner'] {
  return (accountId) => sql`${sql.ref(column)} = ${accountId}`;
}

export function createInventory<Tables>(db: Kysely<Tables>, options: InventoryOptions): Inventory {
  return { of: (accountId, rowsMax) => inventoryOf(db, options, { accountId, rowsMax }) };
}

/** What lies in this file of the account. It is read from the live schema: tables without a rule are told of, too. */
export async function inventoryOf<Tables>(
  db: Kysely<Tables>,
  { store, rules }: InventoryOptions,
  question: InventoryQuestion,
): Promise<StoredTable[]> {
  const { rows: found } = await sql<{ name: string }>`
    select name from sqlite_schema where type = 'table' order by name`.execute(db);
  const tables: StoredTable[] = [];
  for (const { name } of found) {
    const rule = rules[name];
    if (rule === null || name.startsWith('sqlite_')) continue;
    tables.push(await tableOf(db, { store, table: name, rule }, question));
  }
  return tables;
}

interface RuledTable {
  readonly store: string;
  readonly table: string;
  readonly rule: TableRule | undefined;
}

async function tableOf<Tables>(
  db: Kysely<Tables>,
  { store, table, rule }: RuledTable,
  { accountId, rowsMax }: InventoryQuestion,
): Promise<StoredTable> {
  const { rows: info } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(
    db,
  );
  const columns = info.map(({ name }) => ({ name, withheld: withheldBy(rule, name) }));
  if (rule === undefined) return { store, table, count: 0, columns, rows: [] };
  const where = sql`from ${sql.table(table)} where ${rule.owner(accountId)}`;
  const { rows: counted } = await sql<{ count: number }>`select count(*) as count ${where}`.execute(db);
  const count = counted[0]?.count ?? 0;
  if (rule.isCounted) return { store, table, count, columns, rows: [] };
  const { rows } = await sql<Record<string, unknown>>`select * ${where} order by 1 limit ${rowsMax}`.execute(
    db,
  );
  return {
    store,
    table,
    count,
    columns,
    rows: rows.map((row) => columns.map(({ name, withheld }) => valueOf(row[name], withheld))),
  };
}

/** The table as its rules describe it, while there is no file with a schema to read. */
export function emptyTable(store: string, table: string, rule: TableRule): StoredTable {
  const columns = Object.keys(rule.columns).map((name) => ({ name, withheld: withheldBy(rule, name) }));
  return { store, table, count: 0, columns, rows: [] };
}

function withheldBy(rule: TableRule | undefined, column: string): Withheld | null {
  const how = rule?.columns[column] ?? 'unlisted';
  return how === 'shown' ? null : how;
}

function valueOf(value: unknown, withheld: Withheld | null): StoredValue {
  if (value === null) return null;
  if (withheld === null && (typeof value === 'string' || typeof value === 'number')) return value;
  return {
    bytes:
      value instanceof Uint8Array
        ? value.byteLength
        : Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value)),
  };
}
