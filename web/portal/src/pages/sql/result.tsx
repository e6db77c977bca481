import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { SqlValue } from '../../../../../contract/sql.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { useFormat } from '../../ui/format.ts';
import { saveFile } from '../../ui/save-file.ts';
import { Table } from '../../ui/table.tsx';
import { type Rows, blobBytes, columnTypes, csvOf, jsonOf, textOf } from './values.ts';

interface Numbered {
  readonly row: readonly SqlValue[];
  readonly at: number;
}

/** Rows as they came, with their types; they can be kept as CSV or JSON, which the page makes by itself. */
export function ResultRows({ columns, rows, truncated }: Rows & { readonly truncated: boolean }): ReactNode {
  const { t } = useTranslation();
  const types = columnTypes({ columns, rows });
  const numbered: readonly Numbered[] = rows.map((row, at) => ({ row, at }));
  return (
    <div className="stack">
      {truncated && <p className="notice warn">{t('pages.sql.result.truncated', { count: rows.length })}</p>}
      <Table
        label={t('pages.sql.result.title')}
        rows={numbered}
        rowKey={({ at }) => String(at)}
        columns={columns.map((name, at) => ({
          id: String(at),
          name: [name, types[at]?.join(', ')].filter(Boolean).join(' · '),
          isNumber:
            types[at]?.every((type) => type === 'integer' || type === 'real') === true &&
            types[at].length > 0,
          cell: ({ row }: Numbered) => <Cell value={row[at] ?? null} />,
        }))}
      />
      <div className="row">
        <Button
          onPress={() => saveFile('result.csv', new Blob([csvOf({ columns, rows })], { type: 'text/csv' }))}
        >
          {t('pages.sql.result.csv')}
        </Button>
        <Button
          onPress={() =>
            saveFile('result.json', new Blob([jsonOf({ columns, rows })], { type: 'application/json' }))
          }
        >
          {t('pages.sql.result.json')}
        </Button>
      </div>
    </div>
  );
}

function Cell({ value }: { readonly value: SqlValue }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  if (value === null) return <span className="muted">NULL</span>;
  if (typeof value === 'object' && 'base64' in value) {
    return <Badge>{t('pages.sql.result.blob', { size: format.bytes(blobBytes(value.base64)) })}</Badge>;
  }
  return <span className="cell">{textOf(value)}</span>;
}
