import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Secret } from '../kernel/secret.ts';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { type ProviderSignIn, createProviderSignIn } from './provider-sign-in.ts';
import type { ProviderSettings } from './provider-settings.ts';
import type { Provider } from './provider.ts';
import { type Begun, type KeyHolder, type Session, type Sessions, createSessions } from './sessions.ts';
import { SingleUse } from './single-use.ts';

/** The ways into the portal. There is no password among them. */
export interface SignIn {
  readonly sessions: Sessions;
  /** Undefined where the operator chose no identity provider. */
  readonly provider: ProviderSignIn | undefined;
  readonly accessTokens: AccessTokens | undefined;
  /** What an API key opens; throws `auth.invalid_key`. */
  prove(apiKey: string): Promise<KeyHolder>;
  /** A secret that begins one session, unlocked, within ten minutes. */
  createLink(key: KeyHolder): { readonly secret: Secret; readonly expiresAt: number };
  /** Throws `session.bad_link`. */
  beginWithLink(secret: string): Begun;
  /** Throws `auth.invalid_key`. */
  beginWithKey(apiKey: string): Promise<Begun>;
  /** With an API key of the session's own account; throws `auth.invalid_key` for every other. */
  unlock(session: Session, apiKey: string): Promise<void>;
  close(): void;
}

export interface SignInOptions {
  readonly accounts: Pick<
    Accounts,
    'authenticateKey' | 'unlock' | 'isLiveKey' | 'findByIdentity' | 'linkIdentity' | 'signUp'
  >;
  readonly provider?: { readonly settings: ProviderSettings; readonly provider: Provider } | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

const LINK_MS = 10 * 60 * 1000;
const LINKS_MAX = 1000;

export function createSignIn({ accounts, provider, clock, scheduler }: SignInOptions): SignIn {
  const sessions = createSessions({ accounts, clock, scheduler });
  const links = new SingleUse<KeyHolder>({ lifetimeMs: LINK_MS, entriesMax: LINKS_MAX, clock, scheduler });

  async function prove(apiKey: string): Promise<KeyHolder> {
    const principal = await accounts.authenticateKey(apiKey);
    const holder = principal && (await accounts.unlock(apiKey));
    if (principal === undefined || holder === undefined) throw invalidKey();
    return { principal, holder };
  }

  function beginWith(key: KeyHolder): Begun {
    const { accountId, role } = key.principal;
    return sessions.begin({ accountId, role: () => role, provedAt: clock.now(), by: 'key', key });
  }

  const withProvider =
    provider && createProviderSignIn({ ...provider, accounts, sessions, prove, clock, scheduler });

  return {
    sessions,
    provider: withProvider,
    accessTokens: provider && createAccessTokens(provider.provider, accounts),
    prove,
    createLink: (key) => links.put(key),
    beginWithLink(secret) {
      const key = links.take(secret);
      if (key === undefined || !accounts.isLiveKey(key.principal.keyId)) throw badLink();
      return beginWith(key);
    },
    beginWithKey: async (apiKey) => beginWith(await prove(apiKey)),
    async unlock(session, apiKey) {
      const key = await prove(apiKey);
      if (key.principal.accountId !== session.accountId) throw invalidKey();
      session.unlock(key);
    },
    close() {
      links.clear();
      withProvider?.close();
      sessions.close();
    },
  };
}

function invalidKey(): PlatformError {
  return new PlatformError({
    kind: 'unauthenticated',
    code: 'auth.invalid_key',
    message: 'This is not a live API key of your account. Check what you pasted.',
  });
}

function badLink(): PlatformError {
  return new PlatformError({
    kind: 'unauthenticated',
    code: 'session.bad_link',
    message:
      'The sign-in link was used already, or is older than ten minutes. "jellyfaas portal" makes a new one.',
  });
}
