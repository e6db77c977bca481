import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card } from '../../ui/page.tsx';
import { siteApi, siteKey } from './data.ts';
import { useShowReceipt } from './receipts.tsx';

/** Counters and conversations are apart: this one leaves the conversations as they are. */
export function ResetStatistics({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showReceipt = useShowReceipt();
  const [isOpen, setOpen] = useState(false);
  return (
    <Card title={t('pages.aimee.reset.title')}>
      <p className="muted narrow">{t('pages.aimee.reset.text')}</p>
      <div className="row">
        <Button kind="danger" onPress={() => setOpen(true)}>
          {t('pages.aimee.reset.open')}
        </Button>
      </div>
      <Confirm
        title={t('pages.aimee.reset.title')}
        action={t('pages.aimee.reset.open')}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        onConfirm={async () => {
          const path = siteApi(site.id, '/statistics/reset');
          const { receipt } = await request<{ receipt: string }>(path, { method: 'POST' });
          showReceipt({ done: t('pages.aimee.reset.done'), receipt });
          void client.resetQueries({ queryKey: siteKey(site.id, 'statistics') });
        }}
      >
        <p>{t('pages.aimee.reset.confirm', { name: site.name })}</p>
      </Confirm>
    </Card>
  );
}
