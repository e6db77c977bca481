import type { Accounts } from './accounts/accounts.ts';
import { linkUrl } from './gateway/portal/serve-sessions.ts';
import { Secret } from './kernel/secret.ts';
import type { SignIn } from './sign-in/sign-in.ts';

/** An owner who has just come to be, and his way in. */
export interface NewOwner {
  /** Shown once, and to nobody but the operator. */
  readonly apiKey: Secret;
  /** Opens the portal once. */
  readonly link: Secret;
}

export interface OwnerOptions {
  readonly accounts: Pick<Accounts, 'bootstrap'>;
  readonly signIn: Pick<SignIn, 'createLink' | 'prove'>;
  readonly show: (owner: NewOwner) => void;
}

/** The installation is never without an owner: whoever is locked out of it would have nobody to ask. */
export interface Owner {
  /** Makes one if there is none, with this API key or a new one. */
  ensure(preset?: Secret): Promise<void>;
  /** Whoever was made before there was an address; from here on each is shown as he comes. */
  open(publicUrl: string): Promise<NewOwner | undefined>;
}

export function composeOwner({ accounts, signIn, show }: OwnerOptions): Owner {
  let publicUrl: string | undefined;
  let unseen: Secret | undefined;

  async function welcomed(apiKey: Secret, url: string): Promise<NewOwner> {
    const { secret } = signIn.createLink(await signIn.prove(apiKey.reveal()));
    return { apiKey, link: new Secret(linkUrl(url, secret.reveal())) };
  }

  return {
    async ensure(preset) {
      const apiKey = await accounts.bootstrap(preset);
      if (apiKey === undefined) return;
      if (publicUrl === undefined) unseen = apiKey;
      else show(await welcomed(apiKey, publicUrl));
    },
    async open(url) {
      publicUrl = url;
      return unseen && (await welcomed(unseen, url));
    },
  };
}
