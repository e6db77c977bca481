import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Me } from '../../../../../contract/api-v1.ts';
import { request } from '../../api.ts';
import { SESSION_KEY } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { useFormat } from '../../ui/format.ts';
import { Card } from '../../ui/page.tsx';
import { ME_KEY, PROFILE_KEY } from './data.ts';

/** The two things that are known of a person, and their correction. */
export function Person({ me }: { readonly me: Me }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const [isEditing, setEditing] = useState(false);
  return (
    <Card
      title={t('pages.profile.person.title')}
      actions={<Button onPress={() => setEditing(true)}>{t('pages.profile.person.edit')}</Button>}
    >
      <dl className="facts">
        <div>
          <dt>{t('pages.profile.person.name')}</dt>
          <dd>{me.name}</dd>
        </div>
        <div>
          <dt>{t('pages.profile.person.email')}</dt>
          <dd>{me.email}</dd>
        </div>
        <div>
          <dt>{t('pages.profile.person.role')}</dt>
          <dd>{t(`pages.profile.roles.${me.role}`)}</dd>
        </div>
        <div>
          <dt>{t('pages.profile.person.since')}</dt>
          <dd>{format.time(me.createdAt)}</dd>
        </div>
      </dl>
      <p className="muted">{t('pages.profile.person.text')}</p>
      {isEditing && <EditPerson me={me} onClose={() => setEditing(false)} />}
    </Card>
  );
}

function EditPerson({ me, onClose }: { readonly me: Me; readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(me.name);
  const [email, setEmail] = useState(me.email);
  return (
    <Confirm
      title={t('pages.profile.person.edit')}
      action={t('pages.profile.person.save')}
      kind="primary"
      isDisabled={name.trim() === '' || email.trim() === ''}
      isOpen
      onClose={onClose}
      onConfirm={async () => {
        client.setQueryData(
          ME_KEY,
          await request<Me>('/api/v1/me', { method: 'PUT', body: { name, email } }),
        );
        await client.invalidateQueries({ queryKey: PROFILE_KEY });
        await client.invalidateQueries({ queryKey: SESSION_KEY });
      }}
    >
      <p className="muted">{t('pages.profile.person.editText')}</p>
      <TextField
        label={t('pages.profile.person.name')}
        value={name}
        onChange={setName}
        isRequired
        autoFocus
      />
      <TextField
        label={t('pages.profile.person.email')}
        type="email"
        value={email}
        onChange={setEmail}
        isRequired
      />
    </Confirm>
  );
}
