import { crc32 } from 'node:zlib';
import { randomBase62, toBase62 } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';

const RANDOM_LENGTH = 22;
const CHECKSUM_LENGTH = 5;
const WELL_FORMED = /^sk_[0-9A-Za-z]{27}$/;
/** What an operator may choose for his first key; keys that we make are a part of it. */
const ACCEPTABLE = /^sk_[\x21-\x7e]{12,125}$/;

/** `sk_`, 131 random bits and a checksum. */
export function newApiKey(): Secret {
  const random = randomBase62(RANDOM_LENGTH);
  return new Secret(`sk_${random}${checksum(random)}`);
}

/** Whether `text` is a key that we made, by form and checksum alone: for leak scanners and typing errors. */
export function isWellFormedKey(text: string): boolean {
  return (
    WELL_FORMED.test(text) && checksum(text.slice(3, 3 + RANDOM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
  );
}

/** Whether `text` can be a key of this installation at all: `sk_` and 12 to 125 printable ASCII characters. */
export function isAcceptableKey(text: string): boolean {
  return ACCEPTABLE.test(text);
}

/** CRC-32 modulo 62^5, in base62: five characters hold 29.8 of its 32 bits. */
function checksum(random: string): string {
  return toBase62(crc32(random) % 62 ** CHECKSUM_LENGTH, CHECKSUM_LENGTH);
}
