import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import type { SqlDatabaseDetails } from '../../../../../contract/sql.ts';
import { request } from '../../api.ts';
import { BackLink } from '../../ui/back-link.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { AskSql } from './ask-sql.tsx';
import { sqlApi, useSqlDatabase, useSqlSchema, unlist } from './data.ts';
import { QueryEditor } from './query-editor.tsx';
import { SchemaTree } from './schema-tree.tsx';
import { Transfer } from './transfer.tsx';

type View = 'query' | 'ask' | 'transfer';

export interface DatabasePageProps {
  readonly onDropped: (name: string, receipt: string) => void;
}

export function DatabasePage({ onDropped }: DatabasePageProps): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const { name = '' } = useParams();
  const database = useSqlDatabase(name);
  const [isDropping, setDropping] = useState(false);
  return (
    <>
      <BackLink href="/sql" to={t('pages.sql.title')} />
      <Page
        title={name}
        lead={database.data && t('pages.sql.facts', { size: format.bytes(database.data.bytes) })}
        actions={
          database.data && (
            <Button onPress={() => setDropping(true)}>
              <Icon name="trash" />
              {t('pages.sql.drop.open')}
            </Button>
          )
        }
      >
        <Loaded query={database}>{(data) => <DatabaseViews key={data.id} database={data} />}</Loaded>
        <DropDatabase
          name={name}
          isOpen={isDropping}
          onClose={() => setDropping(false)}
          onDropped={onDropped}
        />
      </Page>
    </>
  );
}

function DatabaseViews({ database }: { readonly database: SqlDatabaseDetails }): ReactNode {
  const { t } = useTranslation();
  const [view, setView] = useState<View>('query');
  const schema = useSqlSchema(database.name);
  const { name } = database;
  return (
    <div className="sql-frame">
      <Card title={t('pages.sql.schema.title')}>
        <Loaded query={schema}>{({ tables }) => <SchemaTree tables={tables} />}</Loaded>
      </Card>
      <Tabs
        label={name}
        selected={view}
        onSelect={setView}
        tabs={[
          { id: 'query', name: t('pages.sql.views.query'), content: <QueryEditor name={name} /> },
          { id: 'ask', name: t('pages.sql.views.ask'), content: <AskSql target={{ database: name }} /> },
          {
            id: 'transfer',
            name: t('pages.sql.views.transfer'),
            content: <Transfer name={name} tables={schema.data?.tables ?? []} />,
          },
        ]}
      />
    </div>
  );
}

function DropDatabase(
  props: DatabasePageProps & {
    readonly name: string;
    readonly isOpen: boolean;
    readonly onClose: () => void;
  },
): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { name, isOpen, onClose, onDropped } = props;
  return (
    <Confirm
      title={t('pages.sql.drop.title', { name })}
      action={t('pages.sql.drop.open')}
      typed={name}
      isOpen={isOpen}
      onClose={onClose}
      onConfirm={async () => {
        const { receipt } = await request<{ receipt: string }>(sqlApi(name), { method: 'DELETE' });
        unlist(client, name);
        onDropped(name, receipt);
      }}
    >
      <p>{t('pages.sql.drop.text')}</p>
    </Confirm>
  );
}
