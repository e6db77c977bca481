import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Confirm } from '../../ui/dialog.tsx';
import { Select, TextField } from '../../ui/fields.tsx';
import { createGrant, forgetGrants } from './grants-data.ts';

const MINUTES = ['15', '30', '60'] as const;
const REASON_LENGTH_MIN = 3;
const REASON_LENGTH_MAX = 300;

/** Lends conversations to the staff for a while: which, why, and until when. */
export function GrantDialog(props: {
  readonly siteId: string;
  readonly conversations: readonly string[];
  readonly isOpen: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState<(typeof MINUTES)[number]>('15');
  const { siteId, conversations } = props;
  const count = conversations.length;
  return (
    <Confirm
      title={t('pages.aimee.grant.title')}
      action={t('pages.aimee.grant.submit')}
      kind="primary"
      isDisabled={reason.trim().length < REASON_LENGTH_MIN}
      isOpen={props.isOpen}
      onClose={props.onClose}
      onConfirm={async () => {
        await createGrant({
          site: siteId,
          conversations: [...conversations],
          reason,
          minutes: Number(minutes),
        });
        await forgetGrants(client);
        await navigate(`/aimee/sites/${siteId}?tab=support`);
      }}
    >
      <p>{t('pages.aimee.grant.text', { count })}</p>
      <TextField
        label={t('pages.aimee.grant.reason')}
        hint={t('pages.aimee.grant.reasonHint')}
        value={reason}
        onChange={setReason}
        maxLength={REASON_LENGTH_MAX}
        isLong
        rows={3}
      />
      <Select
        label={t('pages.aimee.grant.minutes')}
        value={minutes}
        onChange={setMinutes}
        options={MINUTES.map((id) => ({ id, name: t('pages.aimee.grant.minutesOf', { minutes: id }) }))}
      />
    </Confirm>
  );
}
