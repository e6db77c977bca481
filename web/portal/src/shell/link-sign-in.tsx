import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SessionResource } from '../../../../contract/session.ts';
import { request } from '../api.ts';
import { useSessionChanged } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Logo } from '../ui/icon.tsx';
import { Fault } from '../ui/states.tsx';

const PREFIX = '#link=';

function linkIn(hash: string): string | undefined {
  return hash.startsWith(PREFIX) ? hash.slice(PREFIX.length) : undefined;
}

/** The single-use link that the address held, in the fragment, which browsers never send; and how to drop it. */
export function useSignInLink(): [link: string | undefined, drop: () => void] {
  const [link, setLink] = useState(() => linkIn(location.hash));
  useEffect(() => {
    const take = (): void => {
      const found = linkIn(location.hash);
      if (found === undefined) return;
      setLink(found);
      history.replaceState(null, '', location.pathname);
    };
    take();
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  return [link, () => setLink(undefined)];
}

/**
 * Asks before the link is used up: whatever looks at addresses on its way to a person opens it and presses nothing. And
 * nobody gets into an account of somebody else’s by opening an address alone.
 */
export function LinkSignIn({
  link,
  onDone,
}: {
  readonly link: string;
  readonly onDone: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const changed = useSessionChanged();
  const begin = useMutation({
    mutationFn: () => request<SessionResource>('/api/v1/session', { method: 'POST', body: { link } }),
    onSuccess: (session) => {
      changed(session);
      onDone();
    },
  });
  return (
    <main className="sign-in">
      <div className="card">
        <div className="row">
          <Logo />
          <h1>{t('signIn.link.title')}</h1>
        </div>
        {begin.error ? <Fault error={begin.error} /> : <p>{t('signIn.link.why')}</p>}
        <div className="row">
          {!begin.error && (
            <Button kind="primary" onPress={() => begin.mutate()} isPending={begin.isPending}>
              {t('signIn.link.use')}
            </Button>
          )}
          <Button onPress={onDone}>{t('signIn.link.drop')}</Button>
        </div>
      </div>
    </main>
  );
}
