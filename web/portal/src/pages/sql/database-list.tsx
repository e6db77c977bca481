import { type ReactNode, useState } from 'react';
import { Link } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SqlDatabases } from '../../../../../contract/sql.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { useForget } from '../../use-forget.ts';
import { CreateDatabase } from './create-database.tsx';
import { SQL_KEY, pageOf, useSqlDatabase, useSqlDatabases } from './data.ts';

export function DatabaseList(): ReactNode {
  const { t } = useTranslation();
  const databases = useSqlDatabases();
  useForget(SQL_KEY);
  const [isCreating, setCreating] = useState(false);
  const create = (
    <Button kind="primary" onPress={() => setCreating(true)}>
      <Icon name="plus" />
      {t('pages.sql.create.open')}
    </Button>
  );
  const outside = <LinkButton href="/sql/outside">{t('pages.sql.outside.open')}</LinkButton>;
  return (
    <Page
      title={t('pages.sql.title')}
      lead={t('pages.sql.lead')}
      actions={
        databases.data?.databases.length === 0 ? undefined : (
          <>
            {outside}
            {create}
          </>
        )
      }
    >
      <Loaded query={databases}>
        {({ databases: all }) =>
          all.length === 0 ? (
            <EmptyState title={t('pages.sql.empty.title')} icon="sql">
              <p>{t('pages.sql.empty.text')}</p>
              <div className="row">
                {create}
                {outside}
              </div>
            </EmptyState>
          ) : (
            <DatabaseTable databases={all} />
          )
        }
      </Loaded>
      <CreateDatabase isOpen={isCreating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function DatabaseTable({ databases }: SqlDatabases): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Table
      label={t('pages.sql.title')}
      rows={databases}
      rowKey={({ id }) => id}
      columns={[
        {
          id: 'name',
          name: t('pages.sql.columns.name'),
          cell: ({ name }) => (
            <Link href={pageOf(name)}>
              <strong>{name}</strong>
            </Link>
          ),
        },
        {
          id: 'bytes',
          name: t('pages.sql.columns.bytes'),
          isNumber: true,
          cell: ({ name }) => <Bytes name={name} />,
        },
        {
          id: 'created',
          name: t('pages.sql.columns.created'),
          cell: ({ createdAt }) => <time dateTime={createdAt}>{format.time(createdAt)}</time>,
        },
        { id: 'id', name: t('pages.sql.columns.id'), cell: ({ id }) => <code>{id}</code> },
      ]}
    />
  );
}

function Bytes({ name }: { readonly name: string }): ReactNode {
  const { data } = useSqlDatabase(name);
  const format = useFormat();
  return data === undefined ? '…' : format.bytes(data.bytes);
}
