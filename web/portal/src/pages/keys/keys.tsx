import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { request } from '../../api.ts';
import { Unlocked } from '../../shell/unlock.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { CreateKey } from './create-key.tsx';
import { type ApiKeys, KEYS_API, KEYS_KEY } from './data.ts';
import { KeyTable } from './key-table.tsx';
import { Token } from './token.tsx';

export function Keys(): ReactNode {
  const { t } = useTranslation();
  const keys = useQuery({
    queryKey: KEYS_KEY,
    queryFn: ({ signal }) => request<ApiKeys>(KEYS_API, { signal }),
  });
  return (
    <Page title={t('pages.keys.title')} lead={t('pages.keys.lead')}>
      <Card title={t('pages.keys.list.title')}>
        <Loaded query={keys}>{({ apiKeys }) => <KeyTable apiKeys={apiKeys} />}</Loaded>
      </Card>
      <Unlocked>
        <div className="grid">
          <CreateKey />
          <Token />
        </div>
      </Unlocked>
    </Page>
  );
}
