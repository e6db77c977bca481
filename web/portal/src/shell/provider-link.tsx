import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { SignInWays } from '../../../../contract/session.ts';
import { request } from '../api.ts';

export function useSignInWays(): UseQueryResult<SignInWays> {
  return useQuery({
    queryKey: ['sign-in'],
    queryFn: ({ signal }) => request<SignInWays>('/api/v1/sign-in', { signal }),
  });
}

/**
 * Leaves the portal for the identity provider. A plain link, because the router would keep the way to the server for
 * itself. `confirm`: whoever is signed in proves again who he is.
 */
export function ProviderLink(props: {
  readonly provider: NonNullable<SignInWays['provider']>;
  readonly returnTo: string;
  readonly confirm?: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const { name, url } = props.provider;
  const query = new URLSearchParams({
    returnTo: props.returnTo,
    ...(props.confirm === true && { confirm: '1' }),
  });
  return (
    <a className="button primary" href={`${url}?${query.toString()}`}>
      {t(props.confirm === true ? 'unlock.provider' : 'signIn.provider', { name })}
    </a>
  );
}
