import { type ReactNode, useState } from 'react';
import { Link } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { DescribedVectorDatabase, VectorDatabase } from '../../../../../contract/vectors.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, Loaded } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { useForget } from '../../use-forget.ts';
import { CreateDatabase } from './create-database.tsx';
import { VECTORS_KEY, useVectorDatabase, useVectorDatabases } from './data.ts';

export function DatabaseList(): ReactNode {
  const { t } = useTranslation();
  const databases = useVectorDatabases();
  useForget(VECTORS_KEY);
  const [isCreating, setCreating] = useState(false);
  const create = (
    <Button kind="primary" onPress={() => setCreating(true)}>
      <Icon name="plus" />
      {t('pages.vectors.create.open')}
    </Button>
  );
  return (
    <Page
      title={t('pages.vectors.title')}
      lead={t('pages.vectors.lead')}
      actions={databases.data?.databases.length === 0 ? undefined : create}
    >
      <Loaded query={databases}>
        {({ databases: all }) =>
          all.length === 0 ? (
            <EmptyState title={t('pages.vectors.empty.title')} icon="vectors">
              <p className="lead">{t('pages.vectors.empty.text')}</p>
              {create}
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

function DatabaseTable({ databases }: { readonly databases: readonly VectorDatabase[] }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Table
      label={t('pages.vectors.title')}
      rows={databases}
      rowKey={({ name }) => name}
      columns={[
        {
          id: 'name',
          name: t('pages.vectors.columns.name'),
          cell: ({ name }) => (
            <Link href={`/vectors/${encodeURIComponent(name)}`}>
              <strong>{name}</strong>
            </Link>
          ),
        },
        {
          id: 'kind',
          name: t('pages.vectors.columns.kind'),
          cell: ({ kind }) => <Badge tone="brand">{t(`pages.vectors.kinds.${kind}.name`)}</Badge>,
        },
        {
          id: 'documents',
          name: t('pages.vectors.columns.documents'),
          isNumber: true,
          cell: ({ name }) => <Size name={name} of={({ documents }) => format.number(documents)} />,
        },
        {
          id: 'records',
          name: t('pages.vectors.columns.records'),
          isNumber: true,
          cell: ({ name }) => <Size name={name} of={({ records }) => format.number(records)} />,
        },
        {
          id: 'bytes',
          name: t('pages.vectors.columns.bytes'),
          isNumber: true,
          cell: ({ name }) => <Size name={name} of={({ bytes }) => format.bytes(bytes)} />,
        },
        {
          id: 'created',
          name: t('pages.vectors.columns.created'),
          cell: ({ createdAt }) => <time dateTime={createdAt}>{format.time(createdAt)}</time>,
        },
      ]}
    />
  );
}

/** Sizes are told by the databases themselves, which have to be opened for it. */
function Size(props: {
  readonly name: string;
  readonly of: (database: DescribedVectorDatabase) => string;
}): ReactNode {
  const { data } = useVectorDatabase(props.name);
  return data === undefined ? '…' : props.of(data);
}
