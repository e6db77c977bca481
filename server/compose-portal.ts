import { fileURLToPath } from 'node:url';
import type { Accounts } from './accounts/accounts.ts';
import type { Config } from './config.ts';
import { createPortalFiles } from './gateway/portal/portal-files.ts';
import type { PortalParts } from './gateway/portal/portal-parts.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import { hostNetwork } from './sandbox/egress-guard.ts';
import { createProviderFetch } from './sign-in/provider-fetch.ts';
import { createProvider } from './sign-in/provider.ts';
import { type SignInOptions, createSignIn } from './sign-in/sign-in.ts';

/** What `vite build` makes of `web/portal`. */
const BUILT_PORTAL = fileURLToPath(new URL('../web/portal/dist', import.meta.url));

export interface PortalComposition {
  readonly config: Config;
  readonly events: EventLog;
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
}

/** What people see of the platform in a browser, and how they get in. */
export function composePortal(parts: PortalComposition): PortalParts {
  const { accounts, clock, scheduler, lifecycle } = parts;
  const signIn = createSignIn({ accounts, provider: providerOf(parts), clock, scheduler });
  lifecycle.onClose('sessions', () => signIn.close());
  return { signIn, files: createPortalFiles(BUILT_PORTAL) };
}

function providerOf({ config, clock, events }: PortalComposition): SignInOptions['provider'] {
  const settings = config.provider;
  if (settings === undefined) return undefined;
  const outside = createProviderFetch({ issuer: settings.issuer, network: hostNetwork, events });
  return { settings, provider: createProvider({ settings, outside, clock }) };
}
