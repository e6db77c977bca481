import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { SqlSchema } from '../../../../../contract/sql.ts';
import { Badge } from '../../ui/badge.tsx';
import { Foldable } from '../../ui/foldable.tsx';

type Table = SqlSchema['tables'][number];

/** Tables and views; each opens to its columns and keys. */
export function SchemaTree({ tables }: { readonly tables: readonly Table[] }): ReactNode {
  const { t } = useTranslation();
  if (tables.length === 0) return <p className="muted">{t('pages.sql.schema.empty')}</p>;
  return (
    <div className="schema">
      {tables.map((table) => (
        <Foldable
          key={table.name}
          level={3}
          isOpen={tables.length === 1}
          title={
            <>
              {table.name}
              {table.kind === 'view' && <Badge>{t('pages.sql.schema.view')}</Badge>}
            </>
          }
        >
          <Columns table={table} />
        </Foldable>
      ))}
    </div>
  );
}

function Columns({ table }: { readonly table: Table }): ReactNode {
  const { t } = useTranslation();
  const references = new Map(table.foreignKeys.map((key) => [key.column, `${key.table}.${key.references}`]));
  return (
    <ul>
      {table.columns.map(({ name, type, nullable, primaryKey }) => (
        <li key={name}>
          <code>{name}</code> <span className="muted">{type.toLowerCase()}</span>
          {primaryKey && <Badge tone="brand">{t('pages.sql.schema.primaryKey')}</Badge>}
          {!nullable && !primaryKey && <Badge>{t('pages.sql.schema.required')}</Badge>}
          {references.has(name) && <span className="muted">→ {references.get(name)}</span>}
        </li>
      ))}
    </ul>
  );
}
