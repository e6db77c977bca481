import { fileURLToPath } from 'node:url';
import type { Accounts } from './accounts/accounts.ts';
import { createPortalFiles } from './gateway/portal/portal-files.ts';
import type { PortalParts } from './gateway/portal/portal-parts.ts';
import { linkUrl } from './gateway/portal/serve-sessions.ts';
import type { Clock } from './kernel/clock.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import { Secret } from './kernel/secret.ts';
import { type SignIn, createSignIn } from './sign-in/sign-in.ts';

/** What `vite build` makes of `web/portal`. */
const BUILT_PORTAL = fileURLToPath(new URL('../web/portal/dist', import.meta.url));

export interface PortalComposition {
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
}

/** What people see of the platform in a browser, and how they get in. */
export function composePortal({ accounts, clock, scheduler, lifecycle }: PortalComposition): PortalParts {
  const signIn = createSignIn({ accounts, clock, scheduler });
  lifecycle.onClose('sessions', () => signIn.close());
  return { signIn, files: createPortalFiles(BUILT_PORTAL) };
}

/** The owner's way into a new installation. */
export async function firstLinkOf(
  signIn: SignIn,
  firstKey: Secret | undefined,
  publicUrl: string,
): Promise<Secret | undefined> {
  if (firstKey === undefined) return undefined;
  const { secret } = signIn.createLink(await signIn.prove(firstKey.reveal()));
  return new Secret(linkUrl(publicUrl, secret.reveal()));
}
