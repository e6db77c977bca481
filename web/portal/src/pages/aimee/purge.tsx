import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AimeeSite } from '../../../../../contract/aimee.ts';
import type { AimeePurgeForm } from '../../../../../contract/aimee-conversations.ts';
import { Button } from '../../ui/button.tsx';
import { Segments } from '../../ui/choice.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { utcDay } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { DayFields } from './conversation-filters.tsx';
import { forgetConversations } from './data.ts';
import { purge } from './purge-data.ts';
import { useShowReceipt } from './receipts.tsx';

const SCOPES = ['reference', 'range', 'all'] as const;
type Scope = (typeof SCOPES)[number];

/** Destroys conversations for good: of one visitor, of some days, or all. A single one goes from where it is read. */
export function Purge({ site }: { readonly site: AimeeSite }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showReceipt = useShowReceipt();
  const [scope, setScope] = useState<Scope>('reference');
  const [reference, setReference] = useState('');
  const [range, setRange] = useState({ from: '', to: utcDay() });
  const [isAsking, setAsking] = useState(false);
  const form = formFor(scope, { reference: reference.trim(), ...range });
  return (
    <Card title={t('pages.aimee.purge.title')}>
      <p className="muted narrow">{t('pages.aimee.purge.text')}</p>
      <Segments
        label={t('pages.aimee.purge.title')}
        value={scope}
        onChange={setScope}
        options={SCOPES.map((id) => ({ id, name: t(`pages.aimee.purge.scope.${id}`) }))}
      />
      {scope === 'reference' && (
        <TextField
          label={t('pages.aimee.purge.reference')}
          hint={t('pages.aimee.purge.referenceHint')}
          value={reference}
          onChange={setReference}
          maxLength={40}
        />
      )}
      {scope === 'range' && (
        <div className="grid">
          <DayFields {...range} onChange={(part) => setRange((before) => ({ ...before, ...part }))} />
        </div>
      )}
      <div className="row">
        <Button kind="danger" isDisabled={form === undefined} onPress={() => setAsking(true)}>
          {t(`pages.aimee.purge.open.${scope}`)}
        </Button>
      </div>
      <Confirm
        title={t('pages.aimee.purge.title')}
        action={t(`pages.aimee.purge.open.${scope}`)}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        {...(scope === 'all' && { typed: site.name })}
        onConfirm={async () => {
          if (form === undefined) return;
          const { conversations, receipt } = await purge(site.id, form);
          showReceipt({ done: t('pages.aimee.purge.done', { count: conversations }), receipt });
          setReference('');
          void forgetConversations(client, site.id);
        }}
      >
        <p>{t(`pages.aimee.purge.confirm.${scope}`, { reference: reference.trim(), ...range })}</p>
        <p>{t('pages.aimee.purge.forGood')}</p>
      </Confirm>
    </Card>
  );
}

/** Undefined while something is missing. */
function formFor(
  scope: Scope,
  { reference, from, to }: { readonly reference: string; readonly from: string; readonly to: string },
): AimeePurgeForm | undefined {
  if (scope === 'all') return { scope };
  if (scope === 'reference') return reference === '' ? undefined : { scope, reference };
  return from === '' || to === '' || from > to ? undefined : { scope, from, to };
}
