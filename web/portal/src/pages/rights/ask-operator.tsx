import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ObjectionPurpose, RightKind } from '../../../../../contract/rights.ts';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Select } from '../../ui/fields.tsx';
import { Card } from '../../ui/page.tsx';
import { RIGHTS_API, forgetRights } from './data.ts';

const KINDS = ['access', 'rectification', 'erasure', 'restriction', 'portability', 'objection'] as const;
const PURPOSES: readonly ObjectionPurpose[] = ['origin-ip', 'statistics'];

/** For whoever cannot do it himself: the operator has a month. */
export function AskOperator(): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [kind, setKind] = useState<RightKind>('access');
  const [purpose, setPurpose] = useState<ObjectionPurpose>('origin-ip');
  const [isAsking, setAsking] = useState(false);
  return (
    <Card title={t('pages.rights.ask.title')}>
      <p className="muted">{t('pages.rights.ask.text')}</p>
      <Select<RightKind>
        label={t('pages.rights.ask.kind')}
        value={kind}
        onChange={setKind}
        options={KINDS.map((id) => ({ id, name: t(`pages.rights.kinds.${id}`) }))}
      />
      {kind === 'objection' && (
        <Select<ObjectionPurpose>
          label={t('pages.rights.ask.purpose')}
          value={purpose}
          onChange={setPurpose}
          options={PURPOSES.map((id) => ({ id, name: t(`pages.rights.purposes.${id}.name`) }))}
        />
      )}
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
          const body = { kind, byOperator: true, ...(kind === 'objection' && { purpose }) };
          await request(`${RIGHTS_API}/requests`, { method: 'POST', body });
          await forgetRights(client);
        }}
      >
        <p>{t('pages.rights.ask.confirm', { kind: t(`pages.rights.kinds.${kind}`) })}</p>
      </Confirm>
    </Card>
  );
}
