import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { StoredColumn, StoredTable, StoredValue } from '../../../../../contract/profile.ts';
import { Badge } from '../../ui/badge.tsx';
import { useFormat } from '../../ui/format.ts';
import { Table } from '../../ui/table.tsx';

type Row = StoredTable['rows'][number];

/** One table of one store, with the names that columns have there. */
export function TableCard({ table }: { readonly table: StoredTable }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { store, table: name, count, rows, days } = table;
  const id = `${store}.${name}`;
  return (
    <section className="card" aria-labelledby={id}>
      <div className="page-head">
        <h3 id={id}>{t(`pages.profile.tables.${store}.${name}`)}</h3>
        <span className="row">
          <Badge>{t('pages.profile.rows', { count })}</Badge>
          <code className="muted">{id}</code>
        </span>
      </div>
      <p className="muted">{t(`pages.profile.about.${store}.${name}`)}</p>
      <Rows table={table} />
      {rows.length > 0 && rows.length < count && (
        <p className="notice">{t('pages.profile.first', { count: rows.length })}</p>
      )}
      {days !== undefined && (
        <Table
          label={t('pages.profile.days')}
          rows={days}
          rowKey={({ day }) => day}
          columns={[
            { id: 'day', name: t('chart.day'), cell: ({ day }) => day },
            {
              id: 'count',
              name: t('pages.profile.records'),
              isNumber: true,
              cell: (day) => format.number(day.count),
            },
          ]}
        />
      )}
    </section>
  );
}

/** A single row reads best field by field, several as a table; what is only counted has its columns named. */
function Rows({ table }: { readonly table: StoredTable }): ReactNode {
  const { columns, rows } = table;
  const { t } = useTranslation();
  const [first] = rows;
  if (first === undefined) {
    return (
      <p>
        {t('pages.profile.fields')} <code>{columns.map(({ name }) => name).join(', ')}</code>
      </p>
    );
  }
  if (rows.length === 1) {
    return (
      <dl className="facts">
        {columns.map((column, at) => (
          <div key={column.name}>
            <dt>
              <code>{column.name}</code>
            </dt>
            <dd>
              <Value column={column} value={first[at] ?? null} />
            </dd>
          </div>
        ))}
      </dl>
    );
  }
  return (
    <Table<Row>
      label={t(`pages.profile.tables.${table.store}.${table.table}`)}
      rows={rows}
      rowKey={(row) => JSON.stringify(row)}
      columns={columns.map((column, at) => ({
        id: column.name,
        name: column.name,
        cell: (row) => <Value column={column} value={row[at] ?? null} />,
      }))}
    />
  );
}

function Value({ column, value }: { readonly column: StoredColumn; readonly value: StoredValue }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  if (value === null) return <span className="muted">NULL</span>;
  if (typeof value === 'object') {
    const reason = t(`pages.profile.withheld.${column.withheld ?? 'unlisted'}`);
    return (
      <span className="withheld">
        <Badge>{format.bytes(value.bytes)}</Badge> <span className="muted">{reason}</span>
      </span>
    );
  }
  const time = timeOf(column.name, value);
  return (
    <>
      <span className="stored">{value}</span>
      {time !== undefined && <span className="muted"> ({format.time(time)})</span>}
    </>
  );
}

/** Times are stored as a number of milliseconds or seconds since 1970; the same in words beside it. */
function timeOf(column: string, value: string | number): string | undefined {
  if (typeof value !== 'number' || !column.endsWith('_at')) return undefined;
  return new Date(value > 1e11 ? value : value * 1000).toISOString();
}
