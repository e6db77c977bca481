import { randomBytes } from 'node:crypto';
import type * as contract from '@jellyfaas/contract';
import type { AimeeSites } from '../api.ts';
import { CliError } from '../failure.ts';
import { isSignedBy } from './contract-checks.ts';
import { faultIf } from './findings.ts';
import type { Guest, Installation } from './installation.ts';
import { type Visitor, expectJson, visitorOf } from './visit.ts';

const ENTITY = '/core-service/v1/entity';
const ERASURE = '/api/v1/rights/erasure';

/** Makes the throw-away account with the owner's key. */
export async function createGuest(url: string, owner: Visitor): Promise<Guest> {
  const id = randomBytes(5).toString('hex');
  const name = `Privacy verification ${id}`;
  const email = `privacy-verification-${id}@example.com`;
  const seen = await owner(ENTITY, { json: { type: 'user', name, email } });
  if (seen.status === 401 || seen.status === 403) {
    throw new CliError(
      'A throw-away account is needed, and this key may not make one. Log in with the key of the installation’s owner.',
      { code: 'cli.not_owner' },
    );
  }
  const { password: apiKey } = expectJson<{ password: string }>(seen, ENTITY, 201);
  return { name, email, apiKey, visit: visitorOf(url, { 'x-jf-apikey': apiKey }) };
}

/**
 * Erases the throw-away account, and checks that. A server that cannot is left with an account that has nothing and no
 * key that anybody knows: `emptied`. Neither ever throws: what was found until now is worth more.
 */
export async function retireGuest(installation: Installation): Promise<'erased' | 'emptied' | 'left'> {
  const { guest, findings } = installation;
  try {
    if (await erase(installation)) return 'erased';
    await empty(guest);
    return 'emptied';
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    findings.check(['P43'], 'Tried to remove the throw-away account', { faults: [reason], observed: '' });
    return 'left';
  }
}

/** False: the server knows no erasure of accounts. */
async function erase({ nobody, guest, signingKey, findings }: Installation): Promise<boolean> {
  const { id } = expectJson<{ id: string }>(await guest.visit('/api/v1/me'), '/api/v1/me');
  const seen = await guest.visit(ERASURE, { json: { confirm: id } });
  if (seen.status === 404) {
    findings.skip(['P43'], 'The erasure of an account', 'this server has none');
    return false;
  }
  const { receipt } = expectJson<contract.AccountErased>(seen, ERASURE);
  const [head = '', payload = '', signature = ''] = receipt.split('.');
  const said = Buffer.from(payload, 'base64url').toString();
  const after = [
    (await guest.visit('/api/v1/me')).status,
    (await nobody('/auth-service/v1/validate', { headers: { 'x-jf-apikey': guest.apiKey } })).status,
  ];
  findings.check(['P43'], 'Erased the account with all that it had, and checked the receipt', {
    faults: [
      ...faultIf(
        !isSignedBy(signingKey, { protected: head, payload, signature }),
        'the receipt is not of the published key',
      ),
      ...faultIf(
        [guest.name, guest.email].some((text) => said.includes(text)),
        'the receipt names the person',
      ),
      ...faultIf(!after.every((status) => status === 401 || status === 403), 'its key is still let in'),
    ],
    observed: `the signature is valid, the receipt names nobody, and the key is refused (${after.join(', ')})`,
  });
  return true;
}

/** Deletes all that the account has, then gives it a key that nobody has seen in place of its own. */
async function empty({ visit }: Guest): Promise<void> {
  for (const base of ['/api/v1/vectors', '/api/v1/sql']) {
    const { databases } = expectJson<{ databases: { name: string }[] }>(await visit(base), base);
    for (const { name } of databases) await visit(`${base}/${name}`, { method: 'DELETE' });
  }
  const [ofSites, ofFunctions, ofKeys] = [
    '/api/v1/aimee/sites',
    '/api/v1/functions',
    '/api/v1/api-keys',
  ] as const;
  const { sites } = expectJson<AimeeSites>(await visit(ofSites), ofSites);
  for (const { id } of sites) await visit(`${ofSites}/${id}`, { method: 'DELETE' });
  const { functions } = expectJson<contract.FunctionList>(await visit(ofFunctions), ofFunctions);
  for (const { shortname } of functions.filter(({ mine }) => mine))
    await visit(`${ofFunctions}/${shortname}`, { method: 'DELETE' });
  const { apiKeys } = expectJson<{ apiKeys: { id: string; current: boolean }[] }>(
    await visit(ofKeys),
    ofKeys,
  );
  await visit(ofKeys, { method: 'POST' });
  for (const { id } of apiKeys.toSorted((a, b) => Number(a.current) - Number(b.current)))
    await visit(`${ofKeys}/${id}`, { method: 'DELETE' });
}
