import { CompactEncrypt, SignJWT } from 'jose';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Accounts } from '../accounts/accounts.ts';
import { isWellFormedKey } from '../accounts/api-key.ts';
import { createAccounts } from '../accounts/create-accounts.ts';
import { createTokenCodec } from '../accounts/jfwt.ts';
import type { TokenClaims } from '../accounts/jfwt.ts';
import type { Holder, KeyPrincipal } from '../accounts/principal.ts';
import { newId } from '../kernel/ids.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { openAccountStore } from './account-store.ts';
import type { OpenAccountStore } from './account-store.ts';
import { openKeyStore } from './key-store.ts';

/** Accounts over their real stores; only time is ours. */
const HOUR = 3_600_000;
const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };

let dir: string;
let now: number;
let keyRing: KeyRing;
let store: OpenAccountStore;
let keyStore: { close(): Promise<void> };
let accounts: Accounts;
/** The owner's API key. */
let ownerKey: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'accounts-'));
  now = Date.UTC(2026, 10, 23, 12, 0, 0, 250);
  await start();
  ownerKey = (await accounts.bootstrap(undefined))?.reveal() ?? '';
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const opened = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  keyStore = opened;
  keyRing = createKeyRing({ root, store: opened });
  store = await openAccountStore({ path: join(dir, 'accounts', 'accounts.db'), keyRing });
  accounts = await createAccounts({ store, keyRing, clock: { now: () => now, monotonicMs: () => now } });
}

async function stop(): Promise<void> {
  await store.close();
  await keyStore.close();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

async function owner(): Promise<KeyPrincipal> {
  const principal = await accounts.authenticateKey(ownerKey);
  if (principal === undefined) throw new Error('the owner cannot sign in');
  return principal;
}

async function holder(): Promise<Holder> {
  const unlocked = await accounts.unlock(ownerKey);
  if (unlocked === undefined) throw new Error('the key of the owner opens nothing');
  return unlocked;
}

async function tokenOf(apiKey: string): Promise<string> {
  return (await accounts.issueToken(apiKey))?.token.reveal() ?? '';
}

async function member(email = 'ada@example.com'): Promise<{ principal: KeyPrincipal; apiKey: string }> {
  const { apiKey } = await accounts.create(await owner(), { name: 'Ada', email });
  const principal = await accounts.authenticateKey(apiKey.reveal());
  if (principal === undefined) throw new Error('the member cannot sign in');
  return { principal, apiKey: apiKey.reveal() };
}

describe('the first start', () => {
  test('makes one owner and shows one well-formed key', async () => {
    expect(isWellFormedKey(ownerKey)).toBe(true);
    const principal = await owner();
    expect(principal.role).toBe('owner');
    expect(await accounts.list(principal)).toEqual([await accounts.get(principal.accountId)]);
  });

  test('happens once: later keys, presets too, change nothing', async () => {
    const preset = new Secret('sk_another-operator-key');
    expect(await accounts.bootstrap(preset)).toBeUndefined();
    await restart();
    expect(await accounts.bootstrap(preset)).toBeUndefined();
    expect(await accounts.authenticateKey(preset.reveal())).toBeUndefined();
    expect((await owner()).role).toBe('owner');
  });

  test('makes an owner where there is none, whoever else is there', async () => {
    await member();
    await store.forgetAccount((await owner()).accountId);
    await restart();
    ownerKey = (await accounts.bootstrap(undefined))?.reveal() ?? '';
    const roles = (await accounts.list(await owner())).map(({ role }) => role);
    expect(roles.toSorted()).toEqual(['member', 'owner']);
  });

  test('takes any sk_ key that the operator gives, and refuses others clearly', async () => {
    await stop();
    rmSync(dir, { recursive: true });
    await start();
    for (const bad of ['', 'secret', 'sk_short', 'sk_with a space inside', `sk_${'x'.repeat(126)}`]) {
      await expect(accounts.bootstrap(new Secret(bad))).rejects.toMatchObject({
        code: 'accounts.bad_bootstrap_key',
      });
    }
    const preset = new Secret('sk_test-operator-key!');
    expect((await accounts.bootstrap(preset))?.reveal()).toBe(preset.reveal());
    ownerKey = preset.reveal();
    expect(await accounts.verifyToken(await tokenOf(ownerKey))).toEqual(await owner());
  });
});

describe('accounts', () => {
  test('are listed and made by the owner only', async () => {
    const { principal } = await member();
    await expect(accounts.list(principal)).rejects.toMatchObject({ code: 'accounts.owner_only' });
    await expect(accounts.create(principal, { name: 'B', email: 'b@example.com' })).rejects.toMatchObject({
      kind: 'permission_denied',
    });
    expect(await accounts.list(await owner())).toHaveLength(2);
  });

  test('have one e-mail address each', async () => {
    const { principal } = await member('Ada@example.com');
    expect(await accounts.get(principal.accountId)).toMatchObject({
      email: 'Ada@example.com',
      role: 'member',
    });
    await expect(member('ada@EXAMPLE.com')).rejects.toMatchObject({
      kind: 'already_exists',
      code: 'accounts.email_taken',
    });
    expect(await accounts.list(await owner())).toHaveLength(2);
  });

  test('that are not there are not found', async () => {
    await expect(accounts.get(newId<AccountId>('acct'))).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('and keys are stored without a plaintext byte and without the key itself', async () => {
    const { apiKey } = await member('ada.lovelace@example.com');
    for (const file of readdirSync(join(dir, 'accounts'))) {
      const bytes = readFileSync(join(dir, 'accounts', file));
      for (const text of ['ada.lovelace', 'Ada', apiKey, 'acct_']) expect(bytes.includes(text)).toBe(false);
    }
    expect(JSON.stringify(await store.listKeys())).not.toContain(apiKey);
  });
});

describe('an identity of the provider', () => {
  const ada = { issuer: 'https://id.example.com', subject: 'kp_1815' };

  test('finds the account that was made for it, over a restart', async () => {
    const { account, apiKey } = await accounts.signUp(ada, { name: 'Ada', email: 'ada@example.com' });
    await restart();
    expect(await accounts.findByIdentity(ada)).toEqual(account);
    expect((await accounts.authenticateKey(apiKey.reveal()))?.accountId).toBe(account.id);
    for (const other of [
      { ...ada, subject: 'kp_1816' },
      { ...ada, issuer: 'https://other.example.com' },
    ])
      expect(await accounts.findByIdentity(other)).toBeUndefined();
  });

  test('is linked to the account with its e-mail address once, and never to another', async () => {
    const { principal } = await member('Ada@example.com');
    await member('bob@example.com');
    expect((await accounts.linkIdentity(ada, 'ada@EXAMPLE.com'))?.id).toBe(principal.accountId);
    expect((await accounts.findByIdentity(ada))?.id).toBe(principal.accountId);
    expect(await accounts.linkIdentity({ ...ada, subject: 'thief' }, 'ada@example.com')).toBeUndefined();
    expect(await accounts.linkIdentity(ada, 'bob@example.com')).toBeUndefined();
    expect(await accounts.linkIdentity({ ...ada, subject: 'kp_2' }, 'nobody@example.com')).toBeUndefined();
  });

  test('cannot take over the owner by the address that he has not given yet', async () => {
    expect(await accounts.linkIdentity(ada, 'owner@localhost')).toBeUndefined();
  });

  test('of a person whose e-mail address has an account makes no second one', async () => {
    await member('ada@example.com');
    await expect(accounts.signUp(ada, { name: 'Ada', email: 'ADA@example.com' })).rejects.toMatchObject({
      code: 'accounts.email_taken',
    });
    expect(await accounts.findByIdentity(ada)).toBeUndefined();
  });
});

describe("an account's choice of a model", () => {
  test('is its own, lasts over a restart and can be changed and taken back', async () => {
    const { accountId } = await owner();
    const other = (await member()).principal.accountId;
    const { modelChoices } = store;
    expect(await modelChoices.get(accountId)).toBeUndefined();
    await modelChoices.set(accountId, 'openai');
    await modelChoices.set(accountId, 'gemini');
    await restart();
    expect(await store.modelChoices.get(accountId)).toBe('gemini');
    expect(await store.modelChoices.get(other)).toBeUndefined();
    await store.modelChoices.set(accountId, null);
    expect(await store.modelChoices.get(accountId)).toBeUndefined();
  });

  test('has room for a platform name and nothing else, and for accounts that exist', async () => {
    const { accountId } = await owner();
    for (const text of ['', 'a b', 'Name', 'x'.repeat(41), 'a\0hidden', 'ä']) {
      await expect(store.modelChoices.set(accountId, text), JSON.stringify(text)).rejects.toThrow(/CHECK/);
    }
    await expect(store.modelChoices.set(newId<AccountId>('acct'), 'openai')).rejects.toThrow(/FOREIGN KEY/);
  });
});

describe('an API key', () => {
  test('works over a restart, and other texts never do', async () => {
    const before = await owner();
    await restart();
    expect(await owner()).toEqual(before);
    for (const text of [
      '',
      'sk_',
      ownerKey.toLowerCase(),
      `${ownerKey} `,
      ownerKey.slice(0, -1),
      'x'.repeat(65536),
    ]) {
      expect(await accounts.authenticateKey(text)).toBeUndefined();
      expect(await accounts.issueToken(text)).toBeUndefined();
    }
  });

  test('makes further ones that open the same account key', async () => {
    const { info, apiKey } = await accounts.createKey(await holder());
    expect(await accounts.listKeys(await owner())).toContainEqual(info);
    const first = (await accounts.unlock(await tokenOf(ownerKey)))?.accountKey;
    const second = (await accounts.unlock(await tokenOf(apiKey.reveal())))?.accountKey;
    expect(first?.reveal()).toHaveLength(32);
    expect(Buffer.from(second?.reveal() ?? [])).toEqual(Buffer.from(first?.reveal() ?? []));
    const { apiKey: otherAccount } = await member();
    expect((await accounts.unlock(await tokenOf(otherAccount)))?.accountKey.reveal()).not.toEqual(
      first?.reveal(),
    );
  });

  test('has at most 49 siblings', async () => {
    for (let count = 1; count < 50; count++) await accounts.createKey(await holder());
    await expect(accounts.createKey(await holder())).rejects.toMatchObject({
      code: 'accounts.too_many_keys',
    });
  });

  test('that was revoked, and every token made with it, is dead at once and stays so', async () => {
    const { info, apiKey } = await accounts.createKey(await holder());
    const cached = await tokenOf(apiKey.reveal());
    const unseen = await tokenOf(apiKey.reveal());
    expect(await accounts.verifyToken(cached)).toBeDefined();
    const revoking = accounts.revokeKey(await owner(), info.id);
    const dead = async (): Promise<void> => {
      expect(await accounts.authenticateKey(apiKey.reveal())).toBeUndefined();
      expect(await accounts.issueToken(apiKey.reveal())).toBeUndefined();
      for (const token of [cached, unseen]) {
        expect(await accounts.verifyToken(token)).toBeUndefined();
        expect(await accounts.unlock(token)).toBeUndefined();
      }
    };
    await dead();
    await revoking;
    await restart();
    await dead();
    expect((await store.listKeys()).map(({ id }) => id)).not.toContain(info.id);
    expect(await accounts.verifyToken(await tokenOf(ownerKey))).toBeDefined();
  });

  test('that is the last of its account cannot be revoked, not even by two at a time', async () => {
    const principal = await owner();
    await expect(accounts.revokeKey(principal, principal.keyId)).rejects.toMatchObject({
      code: 'accounts.last_key',
    });
    const { info } = await accounts.createKey(await holder());
    const outcomes = await Promise.allSettled([
      accounts.revokeKey(principal, info.id),
      accounts.revokeKey(principal, principal.keyId),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  test('of another account is the same to the caller as none', async () => {
    const { principal } = await member();
    const foreign = accounts.revokeKey(principal, (await owner()).keyId).catch((thrown: unknown) => thrown);
    const absent = accounts.revokeKey(principal, newId<ApiKeyId>('key')).catch((thrown: unknown) => thrown);
    expect(await foreign).toEqual(await absent);
    expect(await foreign).toMatchObject({ kind: 'not_found' });
    expect(await owner()).toBeDefined();
  });

  test('stays live when the store could not remove it', async () => {
    const { info, apiKey } = await accounts.createKey(await holder());
    const principal = await owner();
    await store.close();
    await expect(accounts.revokeKey(principal, info.id)).rejects.toThrow();
    expect(await accounts.authenticateKey(apiKey.reveal())).toBeDefined();
  });
});

describe('a JFWT', () => {
  async function claims(change: Partial<TokenClaims> = {}): Promise<TokenClaims> {
    const { accountId, keyId } = await owner();
    return { accountId, keyId, epoch: 1, expiresAt: now + HOUR, accountKey: randomBytes(32), ...change };
  }

  async function sealed(change: Partial<TokenClaims>, key?: Uint8Array): Promise<string> {
    const codec = await createTokenCodec(key ?? (await keyRing.obtain('accounts/jfwt', 'root')));
    return await codec.seal(await claims(change));
  }

  test('stands for the account of its key, over a restart', async () => {
    const token = await tokenOf(ownerKey);
    await restart();
    for (const round of [1, 2])
      expect(await accounts.verifyToken(token), `round ${round}`).toEqual(await owner());
  });

  test('expires after at most 24 h, to the second', async () => {
    const issued = await accounts.issueToken(ownerKey);
    const { token, expiresAt } = issued ?? { token: new Secret(''), expiresAt: 0 };
    expect(expiresAt % 1000).toBe(0);
    expect(expiresAt).toBeLessThanOrEqual(now + 24 * HOUR);
    now = expiresAt - 1;
    expect(await accounts.verifyToken(token.reveal())).toBeDefined();
    now = expiresAt;
    expect(await accounts.verifyToken(token.reveal())).toBeUndefined();
    expect(await accounts.unlock(token.reveal())).toBeUndefined();
  });

  test('cannot be given a longer life than 24 h by configuration', async () => {
    const clock = { now: () => now, monotonicMs: () => now };
    const lax = await createAccounts({ store, keyRing, clock, tokenLifetimeMs: 1000 * HOUR });
    expect((await lax.issueToken(ownerKey))?.expiresAt).toBeLessThanOrEqual(now + 24 * HOUR);
    const strict = await createAccounts({ store, keyRing, clock, tokenLifetimeMs: HOUR });
    expect((await strict.issueToken(ownerKey))?.expiresAt).toBeLessThanOrEqual(now + HOUR);
  });

  test('shows nothing of what it carries', async () => {
    const token = await tokenOf(ownerKey);
    const parts = token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(parts[0]).toBe('{"alg":"dir","enc":"A256GCM"}');
    expect(parts.slice(1).join('')).not.toMatch(/acct_|key_|exp/);
  });

  test('with any one character changed is refused', async () => {
    const token = await tokenOf(ownerKey);
    for (let at = 0; at < token.length; at++) {
      for (const other of ['A', 'B', '.']) {
        if (token[at] === other) continue;
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        expect(await accounts.verifyToken(changed), `${other} at ${at}`).toBeUndefined();
      }
    }
  });

  test('with one bit flipped in any part is refused', async () => {
    const parts = (await tokenOf(ownerKey)).split('.');
    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7));
        const changed = parts.with(index, flipped.toString('base64url')).join('.');
        expect(await accounts.verifyToken(changed), `bit ${bit} of part ${index}`).toBeUndefined();
      }
    }
  });

  test('of another key, epoch, API key or account is refused', async () => {
    const { principal } = await member();
    expect(await accounts.verifyToken(await sealed({}))).toBeDefined();
    const forged = [
      await sealed({}, randomBytes(32)),
      await sealed({ epoch: 2 }),
      await sealed({ epoch: 0 }),
      await sealed({ keyId: newId<ApiKeyId>('key') }),
      await sealed({ keyId: principal.keyId }),
      await sealed({ accountId: principal.accountId }),
      await sealed({ expiresAt: now - 1000 }),
      await sealed({ expiresAt: Number.NaN }),
    ];
    for (const [index, token] of forged.entries()) {
      expect(await accounts.verifyToken(token), `forgery ${index}`).toBeUndefined();
      expect(await accounts.unlock(token), `forgery ${index}`).toBeUndefined();
    }
  });

  test('of another algorithm is refused: none, HMAC, another cipher, compressed', async () => {
    const key = await keyRing.obtain('accounts/jfwt', 'root');
    const { accountId, keyId } = await owner();
    const payload = { acct: accountId, key: keyId, epoch: 1, exp: now / 1000 + 3600, ak: 'AAAA' };
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const plaintext = Buffer.from(JSON.stringify(payload));
    const none = encode({ alg: 'none' });
    const forged = [
      `${none}.${encode(payload)}.`,
      `${none}..${encode(payload)}..`,
      await new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(key),
      await new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM' }).encrypt(key),
      await new CompactEncrypt(plaintext)
        .setProtectedHeader({ alg: 'dir', enc: 'A128CBC-HS256' })
        .encrypt(key),
      await new CompactEncrypt(plaintext)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: 'x' })
        .encrypt(key),
    ];
    for (const token of forged) expect(await accounts.verifyToken(token)).toBeUndefined();
  });

  test.each([
    '',
    '.',
    '....',
    '.....',
    'a.b.c',
    '\0',
    'x'.repeat(4097),
    'x'.repeat(65536),
    '.'.repeat(65536),
  ])('is not just any text', async (text) => {
    expect(await accounts.verifyToken(text)).toBeUndefined();
    expect(await accounts.unlock(text)).toBeUndefined();
  });
});
