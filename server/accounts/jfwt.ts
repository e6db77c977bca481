import { CompactEncrypt, compactDecrypt } from 'jose';
import { webcrypto } from 'node:crypto';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';

/** What a JFWT says, readable by this installation only. */
export interface TokenClaims {
  readonly accountId: AccountId;
  readonly keyId: ApiKeyId;
  readonly epoch: number;
  /** Epoch milliseconds in whole seconds. */
  readonly expiresAt: number;
  readonly accountKey: Uint8Array;
}

/** JWE compact, `dir` with A256GCM. Good for 2^32 tokens under one key, by the bound of random nonces. */
export interface TokenCodec {
  seal(claims: TokenClaims): Promise<string>;
  /** Undefined for anything but a token that this key sealed, byte for byte. Says nothing about its expiry. */
  open(token: string): Promise<TokenClaims | undefined>;
}

const HEADER = { alg: 'dir', enc: 'A256GCM' } as const;
const ENCODED_HEADER = Buffer.from(JSON.stringify(HEADER)).toString('base64url');
const ONLY = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };

interface Payload {
  readonly acct: AccountId;
  readonly key: ApiKeyId;
  readonly epoch: number;
  readonly exp: number;
  readonly ak: string;
}

export async function createTokenCodec(secret: Uint8Array): Promise<TokenCodec> {
  const key = await webcrypto.subtle.importKey('raw', Buffer.from(secret), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  return {
    async seal({ accountId, keyId, epoch, expiresAt, accountKey }) {
      const ak = Buffer.from(accountKey).toString('base64url');
      const payload: Payload = { acct: accountId, key: keyId, epoch, exp: expiresAt / 1000, ak };
      const plaintext = Buffer.from(JSON.stringify(payload));
      return await new CompactEncrypt(plaintext).setProtectedHeader(HEADER).encrypt(key);
    },
    async open(token) {
      if (!isCanonical(token)) return undefined;
      try {
        const { plaintext } = await compactDecrypt(token, key, ONLY);
        // Authenticated, so it is a payload that seal() wrote.
        const { acct, key: keyId, epoch, exp, ak } = JSON.parse(Buffer.from(plaintext).toString()) as Payload;
        const accountKey = Buffer.from(ak, 'base64url');
        return { accountId: acct, keyId, epoch, expiresAt: exp * 1000, accountKey };
      } catch {
        return undefined;
      }
    },
  };
}

/** Our header and no second spelling of the same bytes: a token has one form, so it is cached and compared once. */
function isCanonical(token: string): boolean {
  const [header, encryptedKey, ...rest] = token.split('.', 6);
  return (
    header === ENCODED_HEADER &&
    encryptedKey === '' &&
    rest.length === 3 &&
    rest.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}
