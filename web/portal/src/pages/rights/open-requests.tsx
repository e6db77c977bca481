import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { OpenRequest } from '../../../../../contract/rights.ts';
import { request } from '../../api.ts';
import { Badge } from '../../ui/badge.tsx';
import { Card } from '../../ui/page.tsx';
import { type Deletion, ReceiptDialog } from '../../ui/receipt-dialog.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { type Decided, Decide } from './decide.tsx';
import { RIGHTS_API, forgetRights, useOpenRequests } from './data.ts';
import { NoteLetter } from './note-letter.tsx';
import { Clock, StateBadge } from './request-parts.tsx';
import { Kind } from './requests.tsx';

/** What everybody waits for, the most urgent first; for the owner of the installation. */
export function OpenRequests(): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [shown, setShown] = useState<Deletion>();
  const decide = async ({ id }: OpenRequest, { end, reason }: Decided): Promise<void> => {
    const { kind, receipt } = await request<OpenRequest>(`${RIGHTS_API}/all-requests/${id}/${end}`, {
      method: 'POST',
      ...(reason !== undefined && { body: { reason } }),
    });
    if (receipt !== null)
      setShown({
        receipt,
        done: t('pages.rights.requests.ended', { kind: t(`pages.rights.kinds.${kind}`) }),
      });
    await forgetRights(client);
  };
  return (
    <Loaded query={useOpenRequests()}>
      {({ open, overdue }) => (
        <Card
          title={t('pages.rights.open.title')}
          actions={
            overdue > 0 && <Badge tone="bad">{t('pages.rights.open.overdue', { count: overdue })}</Badge>
          }
        >
          <p className="muted">{t('pages.rights.open.text')}</p>
          <NoteLetter />
          {open.length === 0 ? (
            <p>{t('pages.rights.open.none')}</p>
          ) : (
            <Table
              label={t('pages.rights.open.title')}
              rows={open}
              rowKey={({ id }) => id}
              columns={[
                { id: 'who', name: t('pages.rights.open.who'), cell: ({ account }) => account.email },
                { id: 'kind', name: t('pages.rights.requests.kind'), cell: (one) => <Kind of={one} /> },
                {
                  id: 'state',
                  name: t('pages.rights.requests.state'),
                  cell: (one) => <StateBadge {...one} />,
                },
                { id: 'clock', name: t('pages.rights.requests.clock'), cell: (one) => <Clock of={one} /> },
                {
                  id: 'decide',
                  name: t('pages.rights.open.decide'),
                  cell: (one) => (
                    <Decide
                      canComplete={one.state !== 'received'}
                      canExtend={one.extension === null}
                      kind={one.kind}
                      onDecide={(decided) => decide(one, decided)}
                    />
                  ),
                },
              ]}
            />
          )}
          <ReceiptDialog deletion={shown} onClose={() => setShown(undefined)} />
        </Card>
      )}
    </Loaded>
  );
}
