import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { randomPKCECodeVerifier } from 'openid-client';
import type { Account, Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { Secret } from '../kernel/secret.ts';
import { signInErrors } from './errors.ts';
import { createProviderRole } from './provider-role.ts';
import type { Provider, Voucher } from './provider.ts';
import type { ProviderSettings } from './provider-settings.ts';
import type { Begun, KeyHolder, Session, Sessions } from './sessions.ts';
import { SingleUse } from './single-use.ts';

/** Signing in through the identity provider: out with the browser, and back. */
export interface ProviderSignIn {
  readonly name: string;
  /** `binding`: what this browser keeps until it is back. */
  begin(request: BeginRequest): Promise<{ readonly url: string; readonly binding: Secret }>;
  /** Throws `sign_in.*`. The session goes on when it was one that had to be confirmed. */
  complete(answer: URLSearchParams, binding: string | undefined): Promise<Completed>;
  /** As that of `Provider`. */
  endSessionUrl(returnTo: string): Promise<string | undefined>;
  close(): void;
}

export interface BeginRequest {
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  /** A path of ours. */
  readonly returnTo: string;
  /** Of this browser, if there is one. */
  readonly session: Session | undefined;
  /** The session's person has to prove again who he is; without a session this is a sign-in like any other. */
  readonly confirm: boolean;
}

export interface Completed {
  readonly returnTo: string;
  /** Undefined when a session was confirmed, which keeps its cookie. */
  readonly begun: Begun | undefined;
}

export interface ProviderSignInOptions {
  readonly provider: Provider;
  readonly settings: Pick<ProviderSettings, 'ownerPermission' | 'signUp' | 'trustEmails'>;
  readonly accounts: Pick<Accounts, 'findByIdentity' | 'linkIdentity' | 'signUp'>;
  readonly sessions: Sessions;
  /** What an API key opens. */
  readonly prove: (apiKey: string) => Promise<KeyHolder>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** A sign-in between the two halves. */
interface Transaction extends BeginRequest {
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly bindingHash: Buffer;
  readonly startedAt: number;
}

const TRANSACTION_MS = 10 * 60 * 1000;
const TRANSACTIONS_MAX = 10_000;

export function createProviderSignIn(options: ProviderSignInOptions): ProviderSignIn {
  const { provider, clock, scheduler } = options;
  const transactions = new SingleUse<Transaction>({
    lifetimeMs: TRANSACTION_MS,
    entriesMax: TRANSACTIONS_MAX,
    clock,
    scheduler,
  });

  return {
    name: provider.name,
    async begin(request) {
      const nonce = randomBytes(32).toString('base64url');
      const binding = randomBytes(32).toString('base64url');
      const codeVerifier = randomPKCECodeVerifier();
      const transaction = {
        ...request,
        nonce,
        codeVerifier,
        bindingHash: digestOf(binding),
        startedAt: clock.now(),
      };
      const { secret } = transactions.put(transaction);
      const url = await provider.authorizationUrl(
        { ...transaction, state: secret.reveal() },
        request.confirm,
      );
      return { url, binding: new Secret(binding) };
    },
    async complete(answer, binding) {
      const state = answer.get('state') ?? '';
      const transaction = transactions.take(state);
      if (transaction === undefined || !isBoundTo(transaction, binding)) throw signInErrors.interrupted();
      const { session, confirm, startedAt, returnTo } = transaction;
      const provedSince = confirm ? startedAt : undefined;
      const voucher = await provider.redeem(answer, { ...transaction, state }, { provedSince });
      if (confirm && session !== undefined) {
        await confirmSession(options, session, voucher);
        return { returnTo, begun: undefined };
      }
      const begun = await beginSession(options, voucher);
      // One browser, one session: what was open before does not stay behind.
      session?.end();
      return { returnTo, begun };
    },
    endSessionUrl: (returnTo) => provider.endSessionUrl(returnTo),
    close() {
      transactions.clear();
      provider.close();
    },
  };
}

function digestOf(binding: string): Buffer {
  return Buffer.from(hash('sha256', binding, 'base64'), 'base64');
}

/** Or somebody could have another person finish what he began himself. */
function isBoundTo({ bindingHash }: Transaction, binding: string | undefined): boolean {
  return binding !== undefined && timingSafeEqual(bindingHash, digestOf(binding));
}

async function beginSession(options: ProviderSignInOptions, voucher: Voucher): Promise<Begun> {
  const { sessions, settings, clock } = options;
  const { account, firstApiKey } = await accountOf(options, voucher);
  const key = firstApiKey && (await options.prove(firstApiKey.reveal()));
  const { ownerPermission } = settings;
  return sessions.begin({
    accountId: account.id,
    role: createProviderRole({ role: account.role, voucher, ownerPermission, clock }),
    // Unless the provider says when, it may have been last week.
    provedAt: voucher.person.provedAt ?? 0,
    by: 'provider',
    ...(key !== undefined && { key, firstApiKey }),
  });
}

async function confirmSession(
  { accounts, clock }: ProviderSignInOptions,
  session: Session,
  { issuer, person }: Voucher,
): Promise<void> {
  const account = await accounts.findByIdentity({ issuer, subject: person.subject });
  if (account?.id !== session.accountId) throw signInErrors.anotherPerson();
  session.renew(clock.now());
}

/** Who may come: whoever is known, whoever has an account with this very address, and others if the operator says so. */
async function accountOf(
  { accounts, settings }: ProviderSignInOptions,
  { issuer, person }: Voucher,
): Promise<{ account: Account; firstApiKey?: Secret }> {
  const identity = { issuer, subject: person.subject };
  const known = await accounts.findByIdentity(identity);
  if (known !== undefined) return { account: known };
  const { email, isEmailVerified = settings.trustEmails } = person;
  if (email === undefined || !isEmailVerified) throw signInErrors.unverifiedEmail();
  const linked = await accounts.linkIdentity(identity, email);
  if (linked !== undefined) return { account: linked };
  if (settings.signUp === 'closed') throw signInErrors.noAccount();
  try {
    const { account, apiKey } = await accounts.signUp(identity, { name: person.name ?? email, email });
    return { account, firstApiKey: apiKey };
  } catch (thrown) {
    // Somebody else of the provider has the account of this address, or it cannot be stored as it is.
    throw thrown instanceof PlatformError ? signInErrors.noAccount() : thrown;
  }
}
