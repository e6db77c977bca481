import { createHmac, generateKeyPairSync } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { type ForgingProvider, ODD } from '../testkit/forging-provider.ts';

type Claims = Record<string, unknown>;
type Forgery = (provider: ForgingProvider, claims: Claims) => Promise<string> | string;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function without(claims: Claims, name: string): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
}

/** Makes of honest claims a token that has to be refused. */
export const FORGERIES: Record<string, Forgery> = {
  'is not signed (alg none)': (_provider, claims) => `${base64url({ alg: 'none' })}.${base64url(claims)}.`,
  'is not signed, and says so otherwise': (_provider, claims) =>
    `${base64url({ alg: 'NoNe' })}.${base64url(claims)}.`,
  'is signed by HMAC with the public key': (provider, claims) => {
    const signed = `${base64url({ alg: 'HS256', typ: 'JWT', kid: provider.publicJwk.kid })}.${base64url(claims)}`;
    return `${signed}.${createHmac('sha256', provider.publicPem).update(signed).digest('base64url')}`;
  },
  'is signed by HMAC with the client secret': (provider, claims) => {
    const secret = provider.env['JELLYFAAS_OIDC_CLIENT_SECRET'] ?? '';
    const signed = `${base64url({ alg: 'HS256' })}.${base64url(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  },
  'is signed by a stranger under the name of a known key': async (provider, claims) =>
    await provider.sign(claims, {}, (await generateKeyPair('RS256')).privateKey),
  'brings its own key along (jwk)': async (provider, claims) => {
    const { privateKey } = await generateKeyPair('RS256');
    const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    return await provider.sign(claims, { jwk, kid: 'mine' }, privateKey);
  },
  'names where its key lies (jku, x5u)': async (provider, claims) => {
    const { privateKey } = await generateKeyPair('RS256');
    const elsewhere = 'https://keys.example.com/jwks';
    return await provider.sign(claims, { jku: elsewhere, x5u: elsewhere, kid: 'mine' }, privateKey);
  },
  'names a file as its key (kid)': async (provider, claims) =>
    await provider.sign(claims, { kid: '../../../../dev/null' }, (await generateKeyPair('RS256')).privateKey),
  'has a critical header that nobody knows': (provider, claims) =>
    provider.sign(claims, { crit: [ODD], [ODD]: true }),
  'is an access token': (provider, claims) => provider.sign(claims, { typ: 'at+jwt' }),
  'is changed after it was signed': async (provider, claims) => {
    const [header, , signature] = (await provider.sign(claims)).split('.');
    return [header, base64url({ ...claims, sub: 'admin' }), signature].join('.');
  },
  'is of another issuer': (provider, claims) => provider.sign({ ...claims, iss: 'https://id.example.com' }),
  'is for another client': (provider, claims) => provider.sign({ ...claims, aud: 'another-client' }),
  'is for the issuer itself, which only a preset allows': (provider, claims) =>
    provider.sign({ ...claims, aud: claims['iss'], azp: claims['aud'] }),
  'is for several, of whom we are one': (provider, claims) =>
    provider.sign({ ...claims, aud: [claims['aud'], 'another-client'] }),
  'was made for another party (azp)': (provider, claims) =>
    provider.sign({ ...claims, azp: 'another-client' }),
  'has no audience': (provider, claims) => provider.sign(without(claims, 'aud')),
  'is expired': (provider, claims) => provider.sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 60 }),
  'never expires': (provider, claims) => provider.sign(without(claims, 'exp')),
  'was made an hour ago': (provider, claims) =>
    provider.sign({ ...claims, iat: Math.floor(Date.now() / 1000) - 3600 }),
  'comes from the future': (provider, claims) =>
    provider.sign({ ...claims, iat: Math.floor(Date.now() / 1000) + 3600 }),
  'has no nonce': (provider, claims) => provider.sign(without(claims, 'nonce')),
  'has the nonce of another sign-in': (provider, claims) => provider.sign({ ...claims, nonce: 'another' }),
  'names nobody': (provider, claims) => provider.sign(without(claims, 'sub')),
  'names somebody by a number': (provider, claims) => provider.sign({ ...claims, sub: 7 }),
  'is no token': () => 'not.a.token',
  'is empty': () => '',
};
