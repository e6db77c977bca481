import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession, useSessionChanged } from '../../session.tsx';
import { LinkButton } from '../../ui/button.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { type Deletion, ReceiptDialog } from '../../ui/receipt-dialog.tsx';
import { Loaded } from '../../ui/states.tsx';
import { AskOperator } from './ask-operator.tsx';
import { Copy } from './copy.tsx';
import { Transfer } from './transfer.tsx';
import { useRightsState } from './data.ts';
import { Erase } from './erase.tsx';
import { Objections } from './objections.tsx';
import { OpenRequests } from './open-requests.tsx';
import { Requests } from './requests.tsx';
import { Restriction } from './restriction.tsx';

/** The rights of Articles 15 to 21 of the GDPR, each with what happens when it is used. */
export function Rights(): ReactNode {
  const { t } = useTranslation();
  const { account } = useSession();
  const changed = useSessionChanged();
  const [erased, setErased] = useState<Deletion>();
  return (
    <Page title={t('pages.rights.title')} lead={t('pages.rights.lead')}>
      {account.role === 'owner' && <OpenRequests />}
      <div className="grid wide">
        <Copy />
        <Card title={t('pages.rights.rectification.title')}>
          <p className="muted">{t('pages.rights.rectification.text')}</p>
          <div className="row">
            <LinkButton href="/profile">{t('pages.rights.rectification.open')}</LinkButton>
          </div>
        </Card>
        <Loaded query={useRightsState()}>
          {(state) => (
            <>
              <Restriction state={state} />
              <Objections state={state} />
            </>
          )}
        </Loaded>
        <AskOperator />
        <Erase onErased={setErased} />
      </div>
      <Transfer />
      <Requests />
      <ReceiptDialog deletion={erased} onClose={() => changed(undefined)} />
    </Page>
  );
}
