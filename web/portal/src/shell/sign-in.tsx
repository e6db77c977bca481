import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import type { SessionResource, SignInWays } from '../../../../contract/session.ts';
import { request } from '../api.ts';
import { useSessionChanged } from '../session.tsx';
import { Button, LinkButton } from '../ui/button.tsx';
import { TextField } from '../ui/fields.tsx';
import { Logo } from '../ui/icon.tsx';
import { Fault } from '../ui/states.tsx';

const LINK_PREFIX = '#link=';

/** Three ways in: the provider, a single-use link (in the fragment, which browsers never send), an API key. */
export function SignIn(): ReactNode {
  const { t } = useTranslation();
  const changed = useSessionChanged();
  const [apiKey, setApiKey] = useState('');
  const ways = useQuery({
    queryKey: ['sign-in'],
    queryFn: ({ signal }) => request<SignInWays>('/api/v1/sign-in', { signal }),
  });
  const begin = useMutation({
    mutationFn: (body: { link: string } | { apiKey: string }) =>
      request<SessionResource>('/api/v1/session', { method: 'POST', body }),
    onSuccess: changed,
  });
  const { mutate } = begin;
  useEffect(() => {
    if (!location.hash.startsWith(LINK_PREFIX)) return;
    const link = location.hash.slice(LINK_PREFIX.length);
    history.replaceState(null, '', location.pathname);
    mutate({ link });
  }, [mutate]);
  return (
    <main className="sign-in">
      <div className="card">
        <div className="row">
          <Logo />
          <h1>{t('signIn.title')}</h1>
        </div>
        {begin.error && <Fault error={begin.error} />}
        {ways.data?.provider && (
          <LinkButton kind="primary" href={ways.data.provider.url}>
            {t('signIn.provider', { name: ways.data.provider.name })}
          </LinkButton>
        )}
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
