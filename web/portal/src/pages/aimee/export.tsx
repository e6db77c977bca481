import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { Unlocked } from '../../shell/unlock.tsx';
import { Button } from '../../ui/button.tsx';
import { Segments } from '../../ui/choice.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { download } from '../../ui/download.ts';
import { Card } from '../../ui/page.tsx';
import { DayFields } from './conversation-filters.tsx';
import { queryOf, siteApi } from './data.ts';

type Format = 'csv' | 'json';

/** A copy of the conversations, on the customer's order. */
export function Export({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.aimee.export.title')}>
      <Unlocked>
        <ExportForm site={site} />
      </Unlocked>
    </Card>
  );
}

function ExportForm({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const [format, setFormat] = useState<Format>('csv');
  const [range, setRange] = useState({ from: '', to: '' });
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <p className="muted">{t('pages.aimee.export.text')}</p>
      <div className="grid">
        <DayFields {...range} onChange={(part) => setRange((before) => ({ ...before, ...part }))} />
      </div>
      <Segments
        label={t('pages.aimee.export.format')}
        value={format}
        onChange={setFormat}
        options={[
          { id: 'csv', name: 'CSV' },
          { id: 'json', name: 'JSON' },
        ]}
      />
      <div className="row">
        <Button onPress={() => setAsking(true)}>{t('pages.aimee.export.open')}</Button>
      </div>
      <Confirm
        title={t('pages.aimee.export.title')}
        action={t('pages.aimee.export.open')}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          download(siteApi(site.id, `/export${queryOf({ ...range, format })}`), `conversations.${format}`)
        }
      >
        <p>{t('pages.aimee.export.confirm')}</p>
      </Confirm>
    </>
  );
}
