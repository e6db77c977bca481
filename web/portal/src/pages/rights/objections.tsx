import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ObjectionPurpose, RightsState } from '../../../../../contract/rights.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card } from '../../ui/page.tsx';
import { forgetRights, object } from './data.ts';

const PURPOSES: readonly ObjectionPurpose[] = ['origin-ip', 'statistics'];

/** What rests on legitimate interest, each to object to by itself. */
export function Objections({ state }: { readonly state: RightsState }): ReactNode {
  const { t } = useTranslation();
  return (
    <Card title={t('pages.rights.objection.title')}>
      <p className="muted">{t('pages.rights.objection.text')}</p>
      {PURPOSES.map((purpose) => (
        <Purpose key={purpose} purpose={purpose} isObjected={state.objections.includes(purpose)} />
      ))}
    </Card>
  );
}

function Purpose(props: { readonly purpose: ObjectionPurpose; readonly isObjected: boolean }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const { purpose, isObjected } = props;
  const action = t(isObjected ? 'pages.rights.objection.withdraw' : 'pages.rights.objection.open');
  const name = t(`pages.rights.purposes.${purpose}.name`);
  return (
    <div className="stack">
      <div className="row spread">
        <strong>{name}</strong>
        {isObjected && <Badge tone="warn">{t('pages.rights.objection.on')}</Badge>}
      </div>
      <p className="muted">{t(`pages.rights.purposes.${purpose}.text`)}</p>
      <div className="row">
        <Button aria-label={`${action}: ${name}`} onPress={() => setAsking(true)}>
          {action}
        </Button>
      </div>
      <Confirm
        title={name}
        action={action}
        kind="primary"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          await object(purpose, !isObjected);
          await forgetRights(client);
        }}
      >
        <p>{t(`pages.rights.purposes.${purpose}.text`)}</p>
      </Confirm>
    </div>
  );
}
