import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SessionResource } from '../../../../contract/session.ts';
import { request } from '../api.ts';
import { useSession, useSessionChanged } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { ProviderLink, useSignInWays } from './provider-link.tsx';
import { TextField } from '../ui/fields.tsx';
import { Fault } from '../ui/states.tsx';

/** Shows `children` in an unlocked session; otherwise asks for an API key and says why nothing else will do. */
export function Unlocked({ children }: { readonly children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  if (useSession().unlocked) return children;
  return (
    <section className="card">
      <h2>{t('unlock.title')}</h2>
      <p className="muted">{t('unlock.why')}</p>
      <KeyForm submit={t('unlock.submit')} kind="primary" />
    </section>
  );
}

/** Asks who it is once more; `onDone` when a key has said so. The provider leads away, and back to this page. */
export function ConfirmPerson({
  onDone,
  onCancel,
}: {
  readonly onDone: () => void;
  readonly onCancel: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { data: ways } = useSignInWays();
  const provider = ways?.provider;
  return (
    <>
      <p>{t('unlock.fresh')}</p>
      {provider && <ProviderLink provider={provider} returnTo={location.pathname} confirm />}
      <KeyForm
        submit={t('unlock.confirm')}
        kind={provider ? 'plain' : 'primary'}
        onDone={onDone}
        onCancel={onCancel}
      />
    </>
  );
}

/** An API key opens the account key and counts as a fresh sign-in. */
function KeyForm({
  submit,
  kind,
  onDone,
  onCancel,
}: {
  readonly submit: string;
  readonly kind: 'primary' | 'plain';
  readonly onDone?: () => void;
  readonly onCancel?: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const changed = useSessionChanged();
  const [apiKey, setApiKey] = useState('');
  const unlock = useMutation({
    mutationFn: () =>
      request<SessionResource>('/api/v1/session/unlock', { method: 'POST', body: { apiKey: apiKey.trim() } }),
    onSuccess: (session) => {
      changed(session);
      onDone?.();
    },
  });
  return (
    <Form
      className="stack key-form"
      onSubmit={(event) => {
        event.preventDefault();
        unlock.mutate();
      }}
    >
      {unlock.error && <Fault error={unlock.error} />}
      <TextField
        label={t('signIn.apiKey')}
        type="password"
        autoComplete="off"
        value={apiKey}
        onChange={setApiKey}
        isRequired
      />
      <div className="row">
        <Button type="submit" kind={kind} isPending={unlock.isPending}>
          {submit}
        </Button>
        {onCancel && <Button onPress={onCancel}>{t('confirm.cancel')}</Button>}
      </div>
    </Form>
  );
}
