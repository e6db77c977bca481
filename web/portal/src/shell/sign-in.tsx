import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SessionResource } from '../../../../contract/session.ts';
import { request } from '../api.ts';
import { useSessionChanged } from '../session.tsx';
import { ProviderLink, useSignInWays } from './provider-link.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/fields.tsx';
import { Logo } from '../ui/icon.tsx';
import { Fault } from '../ui/states.tsx';

const FAULT_PREFIX = '#sign-in=';

/** Why the identity provider did not let somebody in, as the way back from there tells. */
function faultOf(hash: string): string | undefined {
  return hash.startsWith(FAULT_PREFIX) ? hash.slice(FAULT_PREFIX.length).replace(/^.*\./, '') : undefined;
}

/** The ways in that begin here: the provider, and an API key. A single-use link has a page of its own. */
export function SignIn(): ReactNode {
  const { t } = useTranslation();
  const changed = useSessionChanged();
  const [apiKey, setApiKey] = useState('');
  const [fault] = useState(() => faultOf(location.hash));
  const ways = useSignInWays();
  const begin = useMutation({
    mutationFn: () =>
      request<SessionResource>('/api/v1/session', { method: 'POST', body: { apiKey: apiKey.trim() } }),
    onSuccess: changed,
  });
  useEffect(() => {
    if (location.hash.startsWith(FAULT_PREFIX)) history.replaceState(null, '', location.pathname);
  }, []);
  return (
    <main className="sign-in">
      <div className="card">
        <div className="row">
          <Logo />
          <h1>{t('signIn.title')}</h1>
        </div>
        {fault && <Fault error={new Error(t([`signIn.faults.${fault}`, 'signIn.faults.other']))} />}
        {begin.error && <Fault error={begin.error} />}
        {ways.data?.provider && <ProviderLink provider={ways.data.provider} returnTo={location.pathname} />}
        <Form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            begin.mutate();
          }}
        >
          <TextField
            label={t('signIn.apiKey')}
            hint={t('signIn.apiKeyHint')}
            type="password"
            autoComplete="off"
            value={apiKey}
            onChange={setApiKey}
            isRequired
          />
          <Button type="submit" kind={ways.data?.provider ? 'plain' : 'primary'} isPending={begin.isPending}>
            {t('signIn.withKey')}
          </Button>
        </Form>
        <p className="muted">
          {t('signIn.linkHint')} <code>jellyfaas portal</code>
        </p>
        <a href="/privacy">{t('signIn.privacy')}</a>
      </div>
    </main>
  );
}
