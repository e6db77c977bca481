import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that wrapping adds to a key: nonce and tag. */
export const WRAP_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** A 32-byte key for the one purpose that `label` names. `secret` must be high-entropy: this is no password hash. */
export function deriveKey(secret: Uint8Array, label: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `jellyfaas/${label}`, 32));
}

/** AES-256-GCM: nonce, ciphertext, tag. What opens must be bound to the same `context`. */
export function wrapKey(wrappingKey: Uint8Array, key: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', wrappingKey, nonce);
  cipher.setAAD(Buffer.from(context, 'utf8'));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

/** The key, or undefined if the wrap is damaged, of another key or of another context. */
export function unwrapKey(
  wrappingKey: Uint8Array,
  wrap: Uint8Array,
  context: string,
): Uint8Array | undefined {
  if (wrap.byteLength <= WRAP_OVERHEAD_BYTES) return undefined;
  const nonce = wrap.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(wrap.subarray(-TAG_BYTES));
  const key = decipher.update(wrap.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return key;
  } catch {
    key.fill(0);
    return undefined;
  }
}
