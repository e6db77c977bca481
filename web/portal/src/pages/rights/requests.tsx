import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RightsRequest } from '../../../../../contract/rights.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card } from '../../ui/page.tsx';
import { type Deletion, ReceiptDialog } from '../../ui/receipt-dialog.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { RIGHTS_API, forgetRights, useRequests } from './data.ts';
import { Clock, StateBadge } from './request-parts.tsx';

/** One's own requests: how far they are, until when, and the proof of their end. */
export function Requests(): ReactNode {
  const { t } = useTranslation();
  const [shown, setShown] = useState<Deletion>();
  return (
    <Card title={t('pages.rights.requests.title')}>
      <p className="muted">{t('pages.rights.requests.text')}</p>
      <Loaded query={useRequests()}>
        {({ requests }) =>
          requests.length === 0 ? (
            <p>{t('pages.rights.requests.none')}</p>
          ) : (
            <Table
              label={t('pages.rights.requests.title')}
              rows={requests}
              rowKey={({ id }) => id}
              columns={[
                { id: 'kind', name: t('pages.rights.requests.kind'), cell: (one) => <Kind of={one} /> },
                {
                  id: 'state',
                  name: t('pages.rights.requests.state'),
                  cell: (one) => <State of={one} />,
                },
                {
                  id: 'received',
                  name: t('pages.rights.requests.received'),
                  cell: (one) => <span className="day">{one.receivedOn}</span>,
                },
                { id: 'clock', name: t('pages.rights.requests.clock'), cell: (one) => <Clock of={one} /> },
                {
                  id: 'what',
                  name: t('pages.rights.requests.proof'),
                  cell: (one) => <Proof of={one} onShow={setShown} />,
                },
              ]}
            />
          )
        }
      </Loaded>
      <ReceiptDialog deletion={shown} onClose={() => setShown(undefined)} />
    </Card>
  );
}

function State({ of: { state, missing } }: { readonly of: RightsRequest }): ReactNode {
  const { t } = useTranslation();
  return (
    <span className="stack">
      <StateBadge state={state} />
      {missing > 0 && <span className="muted">{t('pages.rights.requests.missing', { count: missing })}</span>}
    </span>
  );
}

export function Kind({
  of: { kind, purpose },
}: {
  readonly of: Pick<RightsRequest, 'kind' | 'purpose'>;
}): ReactNode {
  const { t } = useTranslation();
  const name = t(`pages.rights.kinds.${kind}`);
  return purpose === null ? name : `${name}: ${t(`pages.rights.purposes.${purpose}.name`)}`;
}

function Proof({
  of,
  onShow,
}: {
  readonly of: RightsRequest;
  readonly onShow: (proof: Deletion) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { kind, state, receipt } = of;
  if (receipt === null) return state === 'received' ? <ConfirmOwn request={of} /> : null;
  const done = t('pages.rights.requests.ended', { kind: t(`pages.rights.kinds.${kind}`) });
  return <Button onPress={() => onShow({ done, receipt })}>{t('pages.rights.requests.receipt')}</Button>;
}

/** Somebody wrote to the operator in this person’s name; only a sign-in says whether it was he. */
function ConfirmOwn({ request: { kind, purpose } }: { readonly request: RightsRequest }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button onPress={() => setAsking(true)}>{t('pages.rights.requests.mine')}</Button>
      <Confirm
        title={t('pages.rights.requests.mine')}
        action={t('pages.rights.requests.mine')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const body = { kind, byOperator: true, ...(purpose !== null && { purpose }) };
          await request(`${RIGHTS_API}/requests`, { method: 'POST', body });
          await forgetRights(client);
        }}
      >
        <p>{t('pages.rights.requests.mineText')}</p>
      </Confirm>
    </>
  );
}
