import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { request } from '../../api.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Table } from '../../ui/table.tsx';
import { type ApiKeys, KEYS_API, KEYS_KEY } from './data.ts';

type ApiKey = ApiKeys['apiKeys'][number];

export function KeyTable({ apiKeys }: ApiKeys): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const [doomed, setDoomed] = useState<ApiKey>();
  return (
    <>
      <Table
        label={t('pages.keys.list.title')}
        rows={apiKeys}
        rowKey={({ id }) => id}
        columns={[
          {
            id: 'id',
            name: t('pages.keys.list.id'),
            cell: ({ id, current }) => (
              <span className="row">
                <code>{id}</code>
                {current && <Badge tone="brand">{t('pages.keys.list.current')}</Badge>}
              </span>
            ),
          },
          {
            id: 'created',
            name: t('pages.keys.list.created'),
            cell: ({ createdAt }) => <time dateTime={createdAt}>{format.time(createdAt)}</time>,
          },
          {
            id: 'revoke',
            name: t('pages.keys.list.actions'),
            cell: (key) => (
              <Button
                kind="quiet"
                isDisabled={apiKeys.length === 1}
                aria-label={`${t('pages.keys.revoke.open')}: ${key.id}`}
                onPress={() => setDoomed(key)}
              >
                {t('pages.keys.revoke.open')}
              </Button>
            ),
          },
        ]}
      />
      {apiKeys.length === 1 && <p className="notice warn">{t('pages.keys.list.only')}</p>}
      {doomed && <RevokeKey apiKey={doomed} onClose={() => setDoomed(undefined)} />}
    </>
  );
}

function RevokeKey(props: { readonly apiKey: ApiKey; readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { id, current } = props.apiKey;
  return (
    <Confirm
      title={t('pages.keys.revoke.title')}
      action={t('pages.keys.revoke.open')}
      isOpen
      onClose={props.onClose}
      onConfirm={async () => {
        await request(`${KEYS_API}/${encodeURIComponent(id)}`, { method: 'DELETE' });
        // A session that this key had unlocked is locked now, or over.
        await client.invalidateQueries({ queryKey: current ? [] : KEYS_KEY });
      }}
    >
      <p>{t('pages.keys.revoke.text', { id })}</p>
      {current && <p className="notice warn">{t('pages.keys.revoke.current')}</p>}
    </Confirm>
  );
}
