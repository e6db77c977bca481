import type { DatabaseFile } from '../databases/databases.ts';
import type { ManagedSql } from './managed/managed-sql.ts';
import { sqlErrors } from './errors.ts';
import type { SqlSource } from './sql.ts';

/** A managed database as a source of questions. No tables named means all that it has. */
export function createManagedSource(
  managed: Pick<ManagedSql, 'run' | 'schema'>,
  file: DatabaseFile,
  signal: AbortSignal,
): SqlSource {
  return {
    dialect: 'sqlite',
    async schema(tables) {
      const all = await managed.schema(file, { signal });
      if (tables.length === 0) return all;
      return tables.map((name) => {
        // SQLite's names do not differ by case.
        const found = all.find((table) => table.name.toLowerCase() === name.toLowerCase());
        if (found === undefined) throw sqlErrors.unknownTable();
        return found;
      });
    },
    async read(sql, tables) {
      const [result] = await managed.run(file, [{ sql }], { readOnly: true, tables, signal });
      if (result === undefined) throw new Error('a statement without a result');
      const { columns, rows, truncated } = result;
      return { columns, rows, truncated };
    },
    close: async () => undefined,
  };
}
