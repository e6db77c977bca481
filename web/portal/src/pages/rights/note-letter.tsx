import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { utcDay } from '../../ui/format.ts';
import { AskedFields, FIRST_ASKED, askedBody } from './asked-fields.tsx';
import { RIGHTS_API, forgetRights } from './data.ts';

/** What reached the operator by letter or telephone: its month runs, and nothing is done before the person has confirmed it. */
export function NoteLetter(): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [isNoting, setNoting] = useState(false);
  const [email, setEmail] = useState('');
  const [receivedOn, setReceivedOn] = useState(utcDay());
  const [asked, setAsked] = useState(FIRST_ASKED);
  return (
    <div className="row">
      <Button onPress={() => setNoting(true)}>{t('pages.rights.letter.open')}</Button>
      <Confirm
        title={t('pages.rights.letter.title')}
        action={t('pages.rights.letter.open')}
        kind="primary"
        isDisabled={email.trim() === '' || receivedOn === ''}
        isOpen={isNoting}
        onClose={() => setNoting(false)}
        onConfirm={async () => {
          const body = { ...askedBody(asked), email: email.trim(), receivedOn };
          await request(`${RIGHTS_API}/all-requests`, { method: 'POST', body });
          setEmail('');
          await forgetRights(client);
        }}
      >
        <p>{t('pages.rights.letter.text')}</p>
        <TextField label={t('pages.rights.letter.email')} value={email} onChange={setEmail} type="email" />
        <AskedFields asked={asked} onChange={setAsked} />
        <TextField
          label={t('pages.rights.letter.receivedOn')}
          type="date"
          value={receivedOn}
          onChange={setReceivedOn}
        />
      </Confirm>
    </div>
  );
}
