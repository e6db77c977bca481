import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { CompactSign, FlattenedSign, compactVerify, exportJWK, importJWK, type JWK } from 'jose';
import type { KeyRing } from './key-ring.ts';

/**
 * Signs what this installation has done for good, above all deletions: a compact JWS (EdDSA) that anybody checks with the
 * public key, without asking the installation for anything but that.
 */
export interface Receipts {
  /** Ids, codes and times only: a receipt outlives what it is about. */
  sign(claims: Readonly<Record<string, string | number>>): Promise<string>;
  /** Signs what the installation says of itself, of any size; `type` tells it from receipts. */
  signDocument(type: string, document: object): Promise<SignedDocument>;
  readonly publicKey: JWK;
}

/** JWS in its flattened JSON form (RFC 7515, 7.2.2). */
export interface SignedDocument {
  readonly payload: string;
  readonly protected: string;
  readonly signature: string;
}

/** PKCS #8 frame around the 32 bytes of an Ed25519 seed (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export async function createReceipts(keyRing: Pick<KeyRing, 'obtain'>): Promise<Receipts> {
  const seed = await keyRing.obtain('signing/receipts', 'root');
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  seed.fill(0);
  const jwk = await exportJWK(createPublicKey(privateKey));
  const kid = createHash('sha256').update(String(jwk.x)).digest('base64url').slice(0, 16);
  return {
    publicKey: { ...jwk, kid, alg: 'EdDSA', use: 'sig' },
    sign: async (claims) =>
      await new CompactSign(Buffer.from(JSON.stringify(claims), 'utf8'))
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'jellyfaas-receipt' })
        .sign(privateKey),
    async signDocument(type, document) {
      const jws = await new FlattenedSign(Buffer.from(JSON.stringify(document), 'utf8'))
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: type })
        .sign(privateKey);
      return { payload: jws.payload, protected: jws.protected ?? '', signature: jws.signature };
    },
  };
}

/** What was signed, or undefined when it was not signed with this key. */
export async function openReceipt(
  receipt: string,
  publicKey: JWK,
): Promise<Readonly<Record<string, string | number>> | undefined> {
  try {
    const key = await importJWK(publicKey, 'EdDSA');
    const { payload } = await compactVerify(receipt, key, { algorithms: ['EdDSA'] });
    return JSON.parse(Buffer.from(payload).toString('utf8')) as Record<string, string | number>;
  } catch {
    return undefined;
  }
}
