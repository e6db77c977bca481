import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Select } from '../../ui/fields.tsx';
import { Card } from '../../ui/page.tsx';
import { formOf, keepSite, saveSite } from './data.ts';

const DAYS = [1, 7, 30, 90, 180, 365];
const NEVER = 'never';

/** The automatic purge. Apart from the draft of the other settings: shortening it destroys within the hour. */
export function Retention({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const saved = String(site.retentionDays ?? NEVER);
  const [chosen, setChosen] = useState(saved);
  const [isAsking, setAsking] = useState(false);
  const days = chosen === NEVER ? null : Number(chosen);
  const choices = [...new Set([...DAYS, ...(site.retentionDays === null ? [] : [site.retentionDays])])];
  return (
    <Card title={t('pages.aimee.retention.title')}>
      <p className="muted">{t('pages.aimee.retention.text')}</p>
      <Select
        label={t('pages.aimee.retention.label')}
        value={chosen}
        onChange={setChosen}
        options={[
          ...choices
            .toSorted((a, b) => a - b)
            .map((count) => ({ id: String(count), name: t('pages.aimee.retention.days', { count }) })),
          { id: NEVER, name: t('pages.aimee.retention.never') },
        ]}
      />
      <div className="row">
        <Button isDisabled={chosen === saved} onPress={() => setAsking(true)}>
          {t('pages.aimee.retention.save')}
        </Button>
      </div>
      <Confirm
        title={t('pages.aimee.retention.title')}
        action={t('pages.aimee.retention.save')}
        kind={days === null ? 'primary' : 'danger'}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () =>
          keepSite(client, await saveSite(site.id, { ...formOf(site), retentionDays: days }))
        }
      >
        <p>
          {days === null
            ? t('pages.aimee.retention.confirmNever')
            : t('pages.aimee.retention.confirm', { count: days })}
        </p>
      </Confirm>
    </Card>
  );
}
