import { type Bytes, EMPTY, uint } from './bytes.ts';
import { OpeningError } from './errors.ts';

export const TAG_BYTES = 16;
export const NONCE_BYTES = 12;

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** AES-GCM whose nonces are a first one XORed with the count of messages, as HPKE and chunked OHTTP want them. */
export class Sequence {
  readonly #key: Key;
  readonly #firstNonce: Bytes;
  #count = 0;

  private constructor(key: Key, firstNonce: Bytes) {
    this.#key = key;
    this.#firstNonce = firstNonce;
  }

  /** A key of 16 or 32 bytes. */
  static async create(key: Bytes, firstNonce: Bytes): Promise<Sequence> {
    return new Sequence(
      await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']),
      firstNonce,
    );
  }

  async seal(plaintext: Bytes, additionalData: Bytes = EMPTY): Promise<Bytes> {
    const algorithm = { name: 'AES-GCM', iv: this.#nextNonce(), additionalData };
    return new Uint8Array(await crypto.subtle.encrypt(algorithm, this.#key, plaintext));
  }

  /** Throws OpeningError; the sequence is of no use after that. */
  async open(ciphertext: Bytes, additionalData: Bytes = EMPTY): Promise<Bytes> {
    const algorithm = { name: 'AES-GCM', iv: this.#nextNonce(), additionalData };
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, this.#key, ciphertext));
    } catch {
      throw new OpeningError();
    }
  }

  #nextNonce(): Bytes {
    const count = uint(this.#count++, NONCE_BYTES);
    return this.#firstNonce.map((byte, at) => byte ^ (count[at] ?? 0));
  }
}
