import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/**
 * Keyed hashes under keys that follow from a database's own: they are alike for equal texts of one database only, and
 * tell nothing to anyone without its key.
 */
export interface DatabaseKeys {
  /** 32 bytes. */
  textHash(text: string): Buffer;
  /** 22 characters of base62. */
  name(text: string): string;
  /** 32 bits: of a million words few are alike, and those only count as one. */
  readonly word: (word: string) => number;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const NAME_CHARACTERS = 22;

export function deriveKeys(key: Uint8Array): DatabaseKeys {
  // As key objects: bytes are made into one at each hash, which takes longer than the hash.
  const derive = (purpose: string): KeyObject =>
    createSecretKey(new Uint8Array(hkdfSync('sha256', key, '', `jellyfaas vectors ${purpose}`, 32)));
  const [textKey, nameKey, wordKey] = [derive('text'), derive('name'), derive('word')];
  const hash = (hashKey: KeyObject, text: string): Buffer =>
    createHmac('sha256', hashKey).update(text).digest();
  return {
    textHash: (text) => hash(textKey, text),
    name: (text) => base62(hash(nameKey, text)),
    word: (word) => hash(wordKey, word).readUInt32LE(0),
  };
}

function base62(bytes: Buffer): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let i = 0; i < NAME_CHARACTERS; i++) {
    text += BASE62.charAt(Number(rest % 62n));
    rest /= 62n;
  }
  return text;
}
