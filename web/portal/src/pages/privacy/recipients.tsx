import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { PrivacyStatement } from '../../../../../contract/privacy.ts';
import { Card } from '../../ui/page.tsx';
import { Table } from '../../ui/table.tsx';

/** Everybody outside who may get anything, and what brings it there. */
export function Recipients({ recipients }: Pick<PrivacyStatement, 'recipients'>): ReactNode {
  const { t } = useTranslation();
  return (
    <div id="recipients" className="anchor">
      <Card title={t('pages.privacy.recipients.title')}>
        <p className="muted">{t('pages.privacy.recipients.text')}</p>
        <Table
          label={t('pages.privacy.recipients.title')}
          rows={recipients}
          rowKey={({ kind, name }) => `${kind} ${name ?? ''}`}
          columns={[
            {
              id: 'who',
              name: t('pages.privacy.recipients.who'),
              cell: ({ kind, name }) => (
                <strong>
                  {t(`pages.privacy.recipients.kinds.${kind}.who`)}
                  {name !== null && ` (${name})`}
                </strong>
              ),
            },
            {
              id: 'what',
              name: t('pages.privacy.recipients.what'),
              cell: ({ kind }) => t(`pages.privacy.recipients.kinds.${kind}.what`),
            },
            {
              id: 'when',
              name: t('pages.privacy.recipients.when'),
              cell: ({ kind }) => t(`pages.privacy.recipients.kinds.${kind}.when`),
            },
            {
              id: 'keeps',
              name: t('pages.privacy.recipients.keeps'),
              cell: ({ retention }) => t(`pages.privacy.retention.${retention ?? 'unknown'}`),
            },
          ]}
        />
      </Card>
    </div>
  );
}
