import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { VisitorRequest } from '../../../../../contract/aimee-rights.ts';
import { request } from '../../api.ts';
import { Unlocked } from '../../shell/unlock.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { download } from '../../ui/download.ts';
import { Card } from '../../ui/page.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { type Decided, Decide } from '../rights/decide.tsx';
import { Clock, StateBadge } from '../rights/request-parts.tsx';
import { useShowReceipt } from './receipts.tsx';
import { forgetVisitorRequests, requestApi, useVisitorRequests } from './requests-data.ts';
import { VisitorRequestForm } from './visitor-request-form.tsx';

/** What visitors ask under their rights, and what their customer answers. */
export function VisitorRequests({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  return (
    <Unlocked>
      <VisitorRequestForm site={site} />
      <Card title={t('pages.aimee.requests.list')}>
        <Loaded query={useVisitorRequests(site.id)}>
          {({ requests }) =>
            requests.length === 0 ? (
              <p>{t('pages.aimee.requests.none')}</p>
            ) : (
              <Table
                label={t('pages.aimee.requests.list')}
                rows={requests}
                rowKey={({ id }) => id}
                columns={[
                  {
                    id: 'kind',
                    name: t('pages.rights.requests.kind'),
                    cell: ({ kind }) => t(`pages.rights.kinds.${kind}`),
                  },
                  {
                    id: 'reference',
                    name: t('pages.aimee.requests.reference'),
                    cell: ({ reference }) =>
                      reference === null ? t('pages.aimee.requests.gone') : <code>{reference}</code>,
                  },
                  {
                    id: 'state',
                    name: t('pages.rights.requests.state'),
                    cell: (one) => <StateBadge {...one} />,
                  },
                  { id: 'clock', name: t('pages.rights.requests.clock'), cell: (one) => <Clock of={one} /> },
                  {
                    id: 'what',
                    name: t('pages.rights.open.decide'),
                    cell: (one) => <Steps site={site} of={one} />,
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Card>
    </Unlocked>
  );
}

function isCopy({ kind }: VisitorRequest): boolean {
  return kind === 'access' || kind === 'portability';
}

/** What is left to do about a request, or the proof that it was done. */
function Steps({ site, of }: { readonly site: AimeeSite; readonly of: VisitorRequest }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showReceipt = useShowReceipt();
  const { id, kind, state, receipt, endedOn, reference } = of;
  const show = ({ receipt: proof }: VisitorRequest): void => {
    if (proof !== null)
      showReceipt({
        receipt: proof,
        done: t('pages.rights.requests.ended', { kind: t(`pages.rights.kinds.${kind}`) }),
      });
  };
  const decide = async ({ end, reason }: Decided): Promise<void> => {
    show(
      await request<VisitorRequest>(requestApi(site.id, id, end), {
        method: 'POST',
        body: reason === undefined ? {} : { reason },
      }),
    );
    await forgetVisitorRequests(client, site.id);
  };
  return (
    <span className="row">
      {isCopy(of) && state !== 'refused' && reference !== null && <CopyOf site={site} of={of} />}
      {endedOn === null && (
        <Decide
          kind={kind}
          canComplete={!isCopy(of) && kind !== 'rectification'}
          canExtend={of.extension === null}
          onDecide={decide}
        />
      )}
      {receipt !== null && <Button onPress={() => show(of)}>{t('pages.rights.requests.receipt')}</Button>}
    </span>
  );
}

function CopyOf({ site, of }: { readonly site: AimeeSite; readonly of: VisitorRequest }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const { id, reference } = of;
  return (
    <>
      <Button onPress={() => setAsking(true)}>{t('pages.aimee.requests.copy')}</Button>
      <Confirm
        title={t('pages.aimee.requests.copy')}
        action={t('pages.aimee.requests.copy')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await download(requestApi(site.id, id, 'copy'), `conversation-${reference}.json`);
          await forgetVisitorRequests(client, site.id);
        }}
      >
        <p>{t('pages.aimee.requests.copyText')}</p>
      </Confirm>
    </>
  );
}
