import * as z from 'zod';
import type { Accounts } from '../accounts/accounts.ts';
import type { Principal } from '../accounts/principal.ts';
import { signInErrors } from './errors.ts';
import type { Provider } from './provider.ts';

/** What a token has to be good for. */
export const FUNCTIONS_SCOPE = 'functions';

/** Access tokens of the identity provider, for clients that get them there by themselves. */
export interface AccessTokens {
  /** Who gives them out. Throws `sign_in.provider_unreachable` when that was never found out. */
  issuer(): Promise<string>;
  /**
   * Whose a token for `audience` is; undefined for whatever is none. Throws `sign_in.insufficient_scope`, and
   * `sign_in.no_account` for somebody who never signed in here.
   */
  principalOf(token: string, audience: string): Promise<Principal | undefined>;
}

const Claims = z.object({
  sub: z.string().min(1).max(255).optional(),
  scope: z.string().default(''),
  /** As some providers say it. */
  scp: z.union([z.string().transform((text) => text.split(' ')), z.array(z.string())]).default([]),
});

export function createAccessTokens(
  provider: Provider,
  accounts: Pick<Accounts, 'findByIdentity'>,
): AccessTokens {
  return {
    issuer: () => provider.issuer(),
    async principalOf(token, audience) {
      const { success, data } = Claims.safeParse(await provider.accessTokenClaims(token, audience));
      if (!success) return undefined;
      const { sub: subject, scope, scp } = data;
      if (![...scope.split(' '), ...scp].includes(FUNCTIONS_SCOPE)) throw signInErrors.insufficientScope();
      const identity = subject === undefined ? undefined : { issuer: await provider.issuer(), subject };
      const account = identity && (await accounts.findByIdentity(identity));
      if (account === undefined) throw signInErrors.noAccount();
      return { accountId: account.id, role: account.role };
    },
  };
}
