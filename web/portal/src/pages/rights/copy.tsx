import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { download } from '../../ui/download.ts';
import { Card } from '../../ui/page.tsx';
import { RIGHTS_API, forgetRights } from './data.ts';

/** Access and portability are the same copy. */
export function Copy(): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  return (
    <Card title={t('pages.rights.copy.title')}>
      <p className="muted">{t('pages.rights.copy.text')}</p>
      <div className="row">
        <Button kind="primary" onPress={() => setAsking(true)}>
          {t('pages.rights.copy.open')}
        </Button>
      </div>
      <Confirm
        title={t('pages.rights.copy.title')}
        action={t('pages.rights.copy.open')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await download(`${RIGHTS_API}/copy`, 'jellyfaas-copy.zip');
          await forgetRights(client);
        }}
      >
        <p>{t('pages.rights.copy.confirm')}</p>
      </Confirm>
    </Card>
  );
}
