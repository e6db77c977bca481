import type { SignIn } from '../../sign-in/sign-in.ts';
import type { PortalFiles } from './portal-files.ts';

/** What the portal is served from. */
export interface PortalParts {
  readonly signIn: SignIn;
  readonly files: PortalFiles;
}
