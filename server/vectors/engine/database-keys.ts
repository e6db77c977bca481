import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/**
 * Keyed hashes: they are alike for equal texts of one database only, and tell nothing to anyone without its keys, which lie
 * in its file.
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

const KEY_BYTES = 32;

/** Those of a new database, made from the key of its file: 96 bytes. */
export function newHashKeys(fileKey: Uint8Array): Uint8Array {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', fileKey, '', `jellyfaas vectors ${purpose}`, KEY_BYTES));
  return Buffer.concat([derive('text'), derive('name'), derive('word')]);
}

export function hashing(hashKeys: Uint8Array): DatabaseKeys {
  // As key objects: bytes are made into one at each hash, which takes longer than the hash.
  const keyAt = (index: number): KeyObject =>
    createSecretKey(hashKeys.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES));
  const [textKey, nameKey, wordKey] = [keyAt(0), keyAt(1), keyAt(2)];
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
