import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card } from '../../ui/page.tsx';
import { AskedFields, FIRST_ASKED, askedBody } from './asked-fields.tsx';
import { RIGHTS_API, forgetRights } from './data.ts';

/** For whoever cannot do it himself: the operator has a month. */
export function AskOperator(): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [asked, setAsked] = useState(FIRST_ASKED);
  const [isAsking, setAsking] = useState(false);
  return (
    <Card title={t('pages.rights.ask.title')}>
      <p className="muted">{t('pages.rights.ask.text')}</p>
      <AskedFields asked={asked} onChange={setAsked} />
      <div className="row">
        <Button onPress={() => setAsking(true)}>{t('pages.rights.ask.open')}</Button>
      </div>
      <Confirm
        title={t('pages.rights.ask.title')}
        action={t('pages.rights.ask.open')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const body = { ...askedBody(asked), byOperator: true };
          await request(`${RIGHTS_API}/requests`, { method: 'POST', body });
          await forgetRights(client);
        }}
      >
        <p>{t('pages.rights.ask.confirm', { kind: t(`pages.rights.kinds.${asked.kind}`) })}</p>
      </Confirm>
    </Card>
  );
}
