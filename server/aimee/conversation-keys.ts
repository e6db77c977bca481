import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import {
  AEAD_AES_256_GCM,
  CipherSuite,
  type CryptoKey,
  KDF_HKDF_SHA256,
  KEM_DHKEM_X25519_HKDF_SHA256,
  type KeyPair,
} from 'hpke';
import type { Holder } from '../accounts/principal.ts';
import type { AccountId, ConversationId } from '../kernel/ids.ts';
import { deriveKey, unwrapKey, wrapKey } from '../keys/key-wrap.ts';
import { aimeeErrors } from './errors.ts';

/**
 * A conversation's key is made of two random halves. One lies in the key ring and is destroyed by a purge; the other is
 * sealed by HPKE (RFC 9180) to the account's public key, whose private key follows from the account key that the service
 * does not have. So the service can go on writing while it holds the halves in memory, and can never read back.
 */
const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const ENCAPSULATED_BYTES = 32;

export interface AccountKeys {
  /** 32 bytes, stored when the account first uses AI.Mee. */
  readonly publicKey: Uint8Array;
  readonly pair: KeyPair<CryptoKey>;
}

/** PKCS #8 frame around the 32 bytes of an X25519 private key (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

export async function accountKeysOf({ accountKey }: Holder): Promise<AccountKeys> {
  const secret = deriveKey(accountKey.reveal(), 'aimee-account');
  const der = Buffer.concat([PKCS8_PREFIX, secret]);
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  });
  const publicKey = Uint8Array.from(Buffer.from(x, 'base64url'));
  const pair = {
    publicKey: await suite.DeserializePublicKey(publicKey),
    privateKey: await suite.DeserializePrivateKey(secret, false),
  };
  der.fill(0);
  secret.fill(0);
  return { publicKey, pair };
}

/** Whose half it is: moved elsewhere it does not open. */
export interface Place {
  readonly accountId: AccountId;
  readonly conversationId: ConversationId;
}

/** The name of the service's half in the key ring. */
export function ringHalfOf({ accountId, conversationId }: Place): string {
  return `aimee/${accountId}/${conversationId}`;
}

export function newHalf(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

export async function sealHalf(publicKey: Uint8Array, place: Place, half: Uint8Array): Promise<Uint8Array> {
  const recipient = await suite.DeserializePublicKey(publicKey);
  const { encapsulatedSecret, ciphertext } = await suite.Seal(recipient, half, { info: infoOf(place) });
  return Buffer.concat([encapsulatedSecret, ciphertext]);
}

/** Throws `aimee.unreadable`. */
export async function openHalf(keys: AccountKeys, place: Place, sealed: Uint8Array): Promise<Uint8Array> {
  const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES);
  const ciphertext = sealed.subarray(ENCAPSULATED_BYTES);
  try {
    return await suite.Open(keys.pair, encapsulated, ciphertext, { info: infoOf(place) });
  } catch {
    throw aimeeErrors.unreadable();
  }
}

function infoOf({ accountId, conversationId }: Place): Uint8Array {
  return Buffer.from(`jellyfaas/aimee-half\n${accountId}\n${conversationId}`, 'utf8');
}

/** Both halves together; neither alone tells anything of it. */
export function joinHalves(ringHalf: Uint8Array, half: Uint8Array): Uint8Array {
  const both = Buffer.concat([ringHalf, half]);
  const key = deriveKey(both, 'aimee-conversation');
  both.fill(0);
  return key;
}

export function sealContent(key: Uint8Array, id: ConversationId, content: object): Uint8Array {
  return wrapKey(key, Buffer.from(JSON.stringify(content), 'utf8'), contextOf(id));
}

/** As `sealContent` got it. Throws `aimee.unreadable`. */
export function openContent(key: Uint8Array, id: ConversationId, sealed: Uint8Array): unknown {
  const text = unwrapKey(key, sealed, contextOf(id));
  if (text === undefined) throw aimeeErrors.unreadable();
  return JSON.parse(Buffer.from(text).toString('utf8'));
}

function contextOf(id: ConversationId): string {
  return `aimee-entry\n${id}`;
}
