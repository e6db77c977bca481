import { PlatformError } from '../kernel/errors.ts';

export const signInErrors = {
  unreachable: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'sign_in.provider_unreachable',
      owner: 'provider',
      message: 'The identity provider cannot be reached. Try again later, or sign in with an API key.',
    }),
  refused: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.refused',
      message: 'The identity provider did not let you in, or you called it off. Try again.',
    }),
  notProven: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.not_proven',
      message: 'What the identity provider sent does not prove who you are. Begin again.',
    }),
  interrupted: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.interrupted',
      message:
        'This sign-in was finished already, took too long, or was begun in another browser. Begin again.',
    }),
  unverifiedEmail: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.email_unverified',
      message: 'The identity provider has not verified your e-mail address. Verify it there, then try again.',
    }),
  noAccount: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.no_account',
      message: 'There is no account for you here. Ask the owner of this installation for one.',
    }),
  insufficientScope: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.insufficient_scope',
      message:
        'The access token is not good for calling functions. Ask the identity provider for the scope "functions".',
    }),
  anotherPerson: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'sign_in.another_person',
      message: 'You confirmed as somebody else than who is signed in. Sign out first to change accounts.',
    }),
};
