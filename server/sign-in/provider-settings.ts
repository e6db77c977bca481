import * as z from 'zod';
import { Secret } from '../kernel/secret.ts';

/** The identity provider that the operator chose. */
export interface ProviderSettings {
  /** As configured; the provider has to call itself the same. */
  readonly issuer: URL;
  readonly clientId: string;
  /** Undefined for a public client, which PKCE alone protects. */
  readonly clientSecret: Secret | undefined;
  readonly preset: 'kinde' | undefined;
  /** Whoever has it is an owner of the installation for as long as the provider says so. */
  readonly ownerPermission: string | undefined;
  /** Addresses count as verified unless the provider says that they are not. */
  readonly trustEmails: boolean;
  readonly signUp: 'closed' | 'open';
}

/** The settings as the operator writes them. */
export const providerShape = {
  oidcIssuer: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Identity provider for the portal and for MCP clients (OpenID Connect), by its issuer URL. Its redirect URI for us is `<publicUrl>/sign-in/callback`.',
    ),
  oidcClientId: z.string().min(1).optional().describe('Our client id at `oidcIssuer`.'),
  oidcClientSecret: z.string().min(1).optional().describe('Our client secret there, if it gave one.'),
  oidcPreset: z
    .enum(['kinde'])
    .optional()
    .describe('What is peculiar about the provider: `kinde` takes tokens that name the issuer as audience.'),
  oidcOwnerPermission: z
    .string()
    .min(1)
    .optional()
    .describe('Role or permission whose holders are owners here, for as long as the provider says so.'),
  oidcTrustEmails: z
    .union([z.boolean(), z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] })])
    .default(false)
    .describe(
      'E-mail addresses count as verified unless the provider says otherwise; for one that verifies all and does not say so.',
    ),
  signUp: z
    .enum(['closed', 'open'])
    .default('closed')
    .describe(
      'Who of the provider gets in: `closed`, people with an account of the same verified e-mail address; `open`, everybody.',
    ),
};

export type ProviderValues = z.output<z.ZodObject<typeof providerShape>>;

/** Undefined without a provider. Calls `fault` for settings that cannot be used. */
export function resolveProvider(
  values: ProviderValues,
  fault: (text: string) => void,
): ProviderSettings | undefined {
  const { oidcIssuer, oidcClientId, oidcClientSecret } = values;
  if (oidcIssuer === undefined || oidcClientId === undefined) {
    const given = [oidcIssuer, oidcClientId, oidcClientSecret, values.oidcPreset, values.oidcOwnerPermission];
    if (given.some((value) => value !== undefined) || values.signUp === 'open')
      fault(
        'oidcIssuer and oidcClientId (JELLYFAAS_OIDC_ISSUER, JELLYFAAS_OIDC_CLIENT_ID) belong together, and all other settings of sign-in need them',
      );
    return undefined;
  }
  const issuer = new URL(oidcIssuer);
  if (issuer.protocol !== 'https:' && !isLoopback(issuer))
    fault('oidcIssuer (JELLYFAAS_OIDC_ISSUER): an identity provider is reached by https, or at 127.0.0.1');
  return {
    issuer,
    clientId: oidcClientId,
    clientSecret: oidcClientSecret === undefined ? undefined : new Secret(oidcClientSecret),
    preset: values.oidcPreset,
    ownerPermission: values.oidcOwnerPermission,
    trustEmails: values.oidcTrustEmails,
    signUp: values.signUp,
  };
}

export function isLoopback({ hostname }: URL): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}
