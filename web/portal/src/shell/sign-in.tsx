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

const LINK_PREFIX = '#link=';
const FAULT_PREFIX = '#sign-in=';

/** Why the identity provider did not let somebody in, as the way back from there tells. */
function faultOf(hash: string): string | undefined {
  return hash.startsWith(FAULT_PREFIX) ? hash.slice(FAULT_PREFIX.length).replace(/^.*\./, '') : undefined;
}

/** Three ways in: the provider, a single-use link (in the fragment, which browsers never send), an API key. */
export function SignIn(): ReactNode {
  const { t } = useTranslation();
  const changed = useSessionChanged();
  const [apiKey, setApiKey] = useState('');
  const [fault] = useState(() => faultOf(location.hash));
  const ways = useSignInWays();
  const begin = useMutation({
    mutationFn: (body: { link: string } | { apiKey: string }) =>
      request<SessionResource>('/api/v1/session', { method: 'POST', body }),
    onSuccess: changed,
  });
  const { mutate } = begin;
  useEffect(() => {
    const { hash, pathname } = location;
    if (hash.startsWith(LINK_PREFIX) || hash.startsWith(FAULT_PREFIX))
      history.replaceState(null, '', pathname);
    if (hash.startsWith(LINK_PREFIX)) mutate({ link: hash.slice(LINK_PREFIX.length) });
  }, [mutate]);
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
            mutate({ apiKey: apiKey.trim() });
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
          {t('signIn.link')} <code>jellyfaas portal</code>
        </p>
        <a href="/privacy">{t('signIn.privacy')}</a>
      </div>
    </main>
  );
}
