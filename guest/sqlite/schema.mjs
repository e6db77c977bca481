import { isReserved } from './guard.mjs';

/** Tables and views as the API tells of them; without those that a virtual table or SQLite keeps for itself. */
export function schemaOf(data) {
  const tables = data
    .prepare(
      `select m.name, m.type as kind from sqlite_schema m join pragma_table_list l on l.name = m.name
       where l.schema = 'main' and l.type <> 'shadow' order by m.rowid`,
    )
    .all();
  return tables
    .filter(({ name }) => !isReserved(name))
    .map(({ name, kind }) => tableSchema(data, name, kind));
}

function tableSchema(data, name, kind) {
  const columns = columnsOf(data, name);
  const keys = data
    .prepare('select "from" as "column", "table", "to" as target, seq from pragma_foreign_key_list(?)')
    .all(name);
  return {
    name,
    kind,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      nullable: column.isFilled === 0 && column.pk === 0,
      primaryKey: column.pk > 0,
      comment: null,
    })),
    foreignKeys: keys.map(({ column, table, target, seq }) => ({
      column,
      table,
      references: target ?? primaryKey(data, table, seq),
    })),
    comment: null,
  };
}

/** None of a view that does not fit the tables any more. */
function columnsOf(data, name) {
  const columns = data.prepare(
    'select name, type, "notnull" as isFilled, pk from pragma_table_xinfo(?) where hidden <> 1',
  );
  try {
    return columns.all(name);
  } catch {
    return [];
  }
}

/** What a foreign key points to that names no column. */
function primaryKey(data, table, place) {
  return (
    data
      .prepare('select name from pragma_table_info(?) where pk = ?')
      .pluck()
      .get(table, place + 1) ?? 'rowid'
  );
}
