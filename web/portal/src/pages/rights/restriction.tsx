import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RightsState } from '../../../../../contract/rights.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { forgetRights, restrict } from './data.ts';

/** Data is kept and not used, until its owner lifts that. */
export function Restriction({ state: { restricted } }: { readonly state: RightsState }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const what = restricted === null ? 'restrict' : 'lift';
  return (
    <Card
      title={t('pages.rights.restriction.title')}
      actions={restricted && <Badge tone="warn">{t('pages.rights.restriction.on')}</Badge>}
    >
      <p className="muted">{t('pages.rights.restriction.text')}</p>
      {restricted && (
        <p className="notice warn">
          {t('pages.rights.restriction.since', { time: format.time(restricted.since) })}
        </p>
      )}
      <div className="row">
        <Button onPress={() => setAsking(true)}>{t(`pages.rights.restriction.${what}.open`)}</Button>
      </div>
      <Confirm
        title={t('pages.rights.restriction.title')}
        action={t(`pages.rights.restriction.${what}.open`)}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await restrict(restricted === null);
          await forgetRights(client);
        }}
      >
        <p>{t(`pages.rights.restriction.${what}.confirm`)}</p>
      </Confirm>
    </Card>
  );
}
