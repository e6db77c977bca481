import { type Bytes, EMPTY, concat } from './bytes.ts';

const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;
export const HASH_BYTES = 32;

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, HMAC, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data));
}

/** HKDF-SHA256 (RFC 5869). WebCrypto's own does both steps at once; HPKE needs them apart. */
export function extract(salt: Bytes, secret: Bytes): Promise<Bytes> {
  // An empty salt means a hash of zeros, and WebCrypto takes no empty key.
  return hmac(salt.length === 0 ? new Uint8Array(HASH_BYTES) : salt, secret);
}

export async function expand(prk: Bytes, info: Bytes, length: number): Promise<Bytes> {
  let block: Bytes = EMPTY;
  let output: Bytes = EMPTY;
  for (let count = 1; output.length < length; count++) {
    block = await hmac(prk, concat(block, info, Uint8Array.of(count)));
    output = concat(output, block);
  }
  return output.slice(0, length);
}
