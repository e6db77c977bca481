import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AccountErased } from '../../../../../contract/rights.ts';
import { request } from '../../api.ts';
import { useSession } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card } from '../../ui/page.tsx';
import type { Deletion } from '../../ui/receipt-dialog.tsx';
import { RIGHTS_API } from './data.ts';

/** Ends the account; its address has to be typed. */
export function Erase({ onErased }: { readonly onErased: (deletion: Deletion) => void }): ReactNode {
  const { t } = useTranslation();
  const { account } = useSession();
  const [isAsking, setAsking] = useState(false);
  return (
    <Card title={t('pages.rights.erasure.title')}>
      <p className="muted">{t('pages.rights.erasure.text')}</p>
      <div className="row">
        <Button kind="danger" onPress={() => setAsking(true)}>
          {t('pages.rights.erasure.open')}
        </Button>
      </div>
      <Confirm
        title={t('pages.rights.erasure.title')}
        action={t('pages.rights.erasure.open')}
        typed={account.email}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const { receipt, retained } = await request<AccountErased>(`${RIGHTS_API}/erasure`, {
            method: 'POST',
            body: { confirm: account.id },
          });
          const kept = retained.map(({ what, why }) => `${what} (${why})`).join('; ');
          const done = t('pages.rights.erasure.done', { email: account.email });
          onErased({
            receipt,
            done: kept === '' ? done : `${done} ${t('pages.rights.erasure.kept', { kept })}`,
          });
        }}
      >
        <p>{t('pages.rights.erasure.confirm')}</p>
      </Confirm>
    </Card>
  );
}
