import { type Bytes, concat } from '../bytes.ts';
import type { HpkeKeyPair } from '../hpke.ts';

export function hex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export async function* pieces(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* parts;
}

/** As a network might cut it. */
export function oneByOne(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  return pieces(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
}

/** PKCS #8 frame around the 32 bytes of an X25519 private key (RFC 8410). */
const PKCS8_PREFIX = hex('302e020100300506032b656e04220420');

/** A published key pair. */
export async function importKeyPair(privateKey: string): Promise<HpkeKeyPair> {
  const encoded = concat(PKCS8_PREFIX, hex(privateKey));
  const imported = await crypto.subtle.importKey('pkcs8', encoded, { name: 'X25519' }, true, ['deriveBits']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', imported);
  return { publicKey: new Uint8Array(Buffer.from(x, 'base64url')), privateKey: imported };
}
