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
  return useSession().unlocked ? children : <UnlockForm why="unlock.why" />;
}

/** An API key opens the account key and counts as a fresh sign-in. */
export function UnlockForm({
  why,
  onDone,
}: {
  readonly why: string;
  readonly onDone?: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const changed = useSessionChanged();
  const [apiKey, setApiKey] = useState('');
  const { data: ways } = useSignInWays();
  // The provider can say again who somebody is, and open nothing.
  const provider = why === 'unlock.fresh' ? ways?.provider : undefined;
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
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        unlock.mutate();
      }}
    >
      <h2>{t('unlock.title')}</h2>
      <p className="muted">{t(why)}</p>
      {provider && <ProviderLink provider={provider} returnTo={location.pathname} confirm />}
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
        <Button type="submit" kind="primary" isPending={unlock.isPending}>
          {t('unlock.submit')}
        </Button>
      </div>
    </Form>
  );
}
