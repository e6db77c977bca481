import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { request } from '../../api.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Fault } from '../../ui/states.tsx';
import { SQL_API, SQL_KEY, pageOf } from './data.ts';

export function CreateDatabase(props: { readonly isOpen: boolean; readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <Dialog title={t('pages.sql.create.title')} isOpen={props.isOpen} onClose={props.onClose}>
      <CreateForm onClose={props.onClose} />
    </Dialog>
  );
}

function CreateForm({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const create = useMutation({
    mutationFn: () => request(SQL_API, { method: 'POST', body: { name: name.trim() } }),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: SQL_KEY });
      onClose();
      await navigate(pageOf(name.trim()));
    },
  });
  return (
    <Form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <p className="muted">{t('pages.sql.create.text')}</p>
      <TextField
        label={t('pages.sql.columns.name')}
        hint={t('pages.sql.create.nameHint')}
        value={name}
        onChange={setName}
        maxLength={64}
        isRequired
        autoFocus
      />
      {create.error && <Fault error={create.error} />}
      <div className="row">
        <Button type="submit" kind="primary" isPending={create.isPending}>
          {t('pages.sql.create.submit')}
        </Button>
        <Button onPress={onClose}>{t('confirm.cancel')}</Button>
      </div>
    </Form>
  );
}
