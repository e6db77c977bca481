import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Unlocked } from '../../shell/unlock.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Fault } from '../../ui/states.tsx';
import { createSite, keepSite } from './data.ts';

/** The knowledge of a site gets its key from the account, so the session has to be unlocked. */
export function CreateSite(props: { readonly isOpen: boolean; readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <Dialog title={t('pages.aimee.create.title')} isOpen={props.isOpen} onClose={props.onClose}>
      <Unlocked>
        <CreateForm onClose={props.onClose} />
      </Unlocked>
    </Dialog>
  );
}

/** Asks for the name and the address; everything else has a good beginning and its own page. */
function CreateForm({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const create = useMutation({
    mutationFn: () => createSite({ name, allowedOrigins: originsOf(address) }),
    async onSuccess(site) {
      keepSite(client, site);
      onClose();
      await navigate(`/aimee/sites/${site.id}?tab=knowledge`);
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
      {create.error && <Fault error={create.error} />}
      <TextField
        label={t('pages.aimee.create.name')}
        hint={t('pages.aimee.create.nameHint')}
        value={name}
        onChange={setName}
        maxLength={80}
        isRequired
        autoFocus
      />
      <TextField
        label={t('pages.aimee.create.address')}
        hint={t('pages.aimee.create.addressHint')}
        placeholder="https://www.example.com"
        value={address}
        onChange={setAddress}
      />
      <div className="row">
        <Button type="submit" kind="primary" isPending={create.isPending}>
          {t('pages.aimee.create.submit')}
        </Button>
        <Button onPress={onClose}>{t('confirm.cancel')}</Button>
      </div>
    </Form>
  );
}

/** Of any address of the site, its origin; what is none goes to the server as it is, which says what is wrong. */
function originsOf(address: string): string[] {
  const text = address.trim();
  if (text === '') return [];
  const whole = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  return [URL.canParse(whole) ? new URL(whole).origin : text];
}
