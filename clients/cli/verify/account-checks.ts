import type * as contract from '@jellyfaas/contract';
import type { ValidatedKey } from '../api.ts';
import { type Findings, faultIf, fieldFaults } from './findings.ts';
import type { Guest, Installation, Part } from './installation.ts';
import { expectJson, visitorOf } from './visit.ts';

/** What is stored of a person, and what lets him in. */
export const accountPart: Part = {
  name: 'account',
  clauses: ['P2', 'P3', 'P4', 'P42'],
  async run(installation) {
    await checkProfile(installation);
    await checkCorrection(installation);
    await checkSignIn(installation);
    await checkPasswords(installation);
  },
};

const PERSON = ['id', 'name', 'email', 'role', 'createdAt', 'updatedAt'];

async function checkProfile({ guest, columns, findings }: Installation): Promise<void> {
  const me = expectJson<Record<string, unknown>>(await guest.visit('/api/v1/me'), '/api/v1/me');
  findings.check(['P3', 'P4'], 'Made an account and asked what is stored of its holder', {
    faults: [
      ...fieldFaults(me, PERSON, []),
      ...faultIf(
        me['name'] !== guest.name || me['email'] !== guest.email,
        'name or address are not as given',
      ),
    ],
    observed: `exactly ${PERSON.join(', ')}`,
  });
  const { tables } = expectJson<contract.Profile>(await guest.visit('/api/v1/profile'), '/api/v1/profile');
  const named = tables.flatMap(({ store, table, columns: own }) =>
    own.map(({ name, withheld }) => ({ name: `${store}.${table}.${name}`, withheld })),
  );
  findings.check(['P3'], 'Read the profile, table by table, beside the data map', {
    faults: [
      ...named.filter(({ name }) => !columns.has(name)).map(({ name }) => `${name} is not in the data map`),
      ...named
        .filter(({ withheld }) => withheld === 'unlisted')
        .map(({ name }) => `nobody says what ${name} holds`),
      ...personFaults(tables, guest),
    ],
    observed: `${tables.length} tables with ${named.length} columns, all in the data map; name and address as stored`,
  });
}

function personFaults(tables: contract.Profile['tables'], { name, email }: Guest): string[] {
  const values = tables.flatMap(({ rows }) => rows.flat());
  return [name, email]
    .filter((value) => !values.includes(value))
    .map((value) => `"${value}" is stored and not shown`);
}

async function checkCorrection({ guest, findings }: Installation): Promise<void> {
  const corrected = { name: guest.name, email: `corrected-${guest.email}` };
  await guest.visit('/api/v1/me', { method: 'PUT', json: corrected });
  const me = expectJson<Record<string, unknown>>(await guest.visit('/api/v1/me'), '/api/v1/me');
  findings.check(['P42'], 'Corrected the e-mail address, and asked for it again', {
    faults: faultIf(me['email'] !== corrected.email, 'it is still the old one'),
    observed: 'the new one is stored',
  });
}

async function checkSignIn({ nobody, contract, findings }: Installation): Promise<void> {
  const ways = expectJson<contract.SignInWays>(await nobody('/api/v1/sign-in'), '/api/v1/sign-in');
  const { signInProvider } = contract.facts;
  findings.check(['P2'], 'Asked how one signs in, and compared it with the contract', {
    faults: faultIf(
      (ways.provider === null) !== (signInProvider === null),
      'sign-in and contract disagree about an identity provider',
    ),
    observed:
      signInProvider === null
        ? 'links and API keys alone'
        : `through ${signInProvider}, as the contract says`,
  });
}

async function checkPasswords({ nobody, guest, run, findings }: Installation): Promise<void> {
  const password = run.mark('password');
  const attempts = [
    await nobody('/api/v1/session', { json: { password } }),
    await nobody('/api/v1/session', { json: { email: guest.email, password } }),
    await guest.visit('/api/v1/me', {
      method: 'PUT',
      json: { name: guest.name, email: guest.email, password },
    }),
  ];
  const api = expectJson<Operations>(await nobody('/api/v1/openapi.json'), '/api/v1/openapi.json');
  const fields = passwordFields(api);
  findings.check(
    ['P4'],
    'Looked for a password in every documented request, and tried to sign in and to set one',
    {
      faults: [
        ...fields.map((path) => `${path} takes a password`),
        ...attempts
          .filter(({ status }) => status < 400 || status >= 500)
          .map(({ status }) => `a request with a password was answered ${status}`),
      ],
      observed: `no request has such a field; ${attempts.length} requests with one were refused (${attempts.map(({ status }) => status).join(', ')})`,
    },
  );
  checkCookies(
    attempts.map(({ headers }) => headers),
    findings,
  );
}

function checkCookies(all: readonly Readonly<Record<string, unknown>>[], findings: Findings): void {
  findings.check(['P4'], 'Looked for cookies on refused sign-ins', {
    faults: faultIf(
      all.some((headers) => 'set-cookie' in headers),
      'a refused sign-in sets a cookie',
    ),
    observed: 'none is set',
  });
}

interface Operations {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: unknown }>>>>;
}

/** Operations whose request has a field that is called like a password. */
function passwordFields({ paths }: Operations): string[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) =>
        /"[^"]*(?:password|passwd|passphrase)[^"]*":\{/i.test(JSON.stringify(operation.requestBody ?? {})),
      )
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
}

/** Tokens: who is let in with which, and for how long. */
export const tokenPart: Part = {
  name: 'tokens',
  clauses: ['P13'],
  async run({ url, nobody, guest, contract, findings }) {
    const validate = '/auth-service/v1/validate';
    const made = expectJson<{ id: string; apiKey: string }>(
      await guest.visit('/api/v1/api-keys', { method: 'POST' }),
      '/api/v1/api-keys',
      201,
    );
    const second = visitorOf(url, { 'x-jf-apikey': made.apiKey });
    const { token, expiry } = expectJson<ValidatedKey>(await second(validate), validate);
    const statusWith = async (jfwt: string): Promise<number> =>
      (await nobody('/api/v1/vectors', { headers: { jfwt } })).status;
    const fresh = await statusWith(token);
    const tampered = await Promise.all(tamperedForms(token).map(statusWith));
    findings.check(['P13'], `Used a token, and it with one character changed at ${tampered.length} places`, {
      faults: [
        ...faultIf(fresh !== 200, `a token that was just issued is answered ${fresh}`),
        ...faultIf(!tampered.every(isRefused), 'a changed token is let in'),
      ],
      observed: `the token is let in, and no changed one (${tampered.join(', ')})`,
    });
    const hours = (Date.parse(expiry) - Date.now()) / 3_600_000;
    findings.check(['P13'], 'Read when the token ends', {
      faults: faultIf(hours > contract.facts.tokenHours + 0.1, `it lives ${hours.toFixed(1)} hours`),
      observed: `within ${contract.facts.tokenHours} hours, as the contract says`,
    });
    findings.skip(['P13'], 'An expired token', `it would take ${contract.facts.tokenHours} hours to get one`);
    const revoked = await guest.visit(`/api/v1/api-keys/${made.id}`, { method: 'DELETE' });
    const after = [await statusWith(token), (await second('/api/v1/me')).status];
    findings.check(['P13'], 'Revoked a key, then used it and a token that was issued under it', {
      faults: [
        ...faultIf(revoked.status !== 204, `revoking was answered ${revoked.status}`),
        ...faultIf(!after.every(isRefused), 'a revoked key or its token is let in'),
      ],
      observed: `both are refused at once (${after.join(', ')})`,
    });
  },
};

function isRefused(status: number): boolean {
  return status === 401 || status === 403;
}

/** One character changed at the start, in the middle and near the end. */
function tamperedForms(token: string): string[] {
  return [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => {
    const at = Math.floor(token.length * share);
    return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
  });
}
