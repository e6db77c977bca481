import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card } from '../../ui/page.tsx';
import { forgetSite, siteApi } from './data.ts';
import { useShowReceipt } from './receipts.tsx';

export function DeleteSite({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const showReceipt = useShowReceipt();
  const [isAsking, setAsking] = useState(false);
  return (
    <Card title={t('pages.aimee.delete.title')}>
      <p className="muted narrow">{t('pages.aimee.delete.text')}</p>
      <div className="row">
        <Button kind="danger" onPress={() => setAsking(true)}>
          {t('pages.aimee.delete.open')}
        </Button>
      </div>
      <Confirm
        title={t('pages.aimee.delete.title')}
        action={t('pages.aimee.delete.open')}
        typed={site.name}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          const { receipt } = await request<{ receipt: string }>(siteApi(site.id), { method: 'DELETE' });
          showReceipt({ done: t('pages.aimee.delete.done', { name: site.name }), receipt });
          await navigate('/aimee');
          forgetSite(client, site.id);
        }}
      >
        <p>{t('pages.aimee.delete.text')}</p>
      </Confirm>
    </Card>
  );
}
