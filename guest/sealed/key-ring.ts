import { type Bytes, type KeyPair, encodeKeyConfigs, generateKeyPair } from '../../clients/sdk/src/sealed/index.ts';

/** Of a key's life: it is still good for requests that were sealed to it, while its successor is handed out. */
const OVERLAP = 1 / 12;
/** Requests that one key opens. What was opened is remembered as long as the key, and memory is bounded. */
const REQUESTS_MAX = 65_536;

export interface KeyRing {
  /** To which requests shall be sealed now: the body of `application/ohttp-keys`, and for how long it is good. */
  offer(): KeyOffer;
  /** Undefined for a key that is not here, or no longer. */
  find(keyId: number): RingKey | undefined;
}

export interface KeyOffer {
  readonly configs: Bytes;
  readonly freshSeconds: number;
}

export interface RingKey {
  readonly pair: KeyPair;
  /** Whether no request with this `enc` came before. Ask it of what was opened only: others must not fill the memory. */
  admit(enc: Bytes): boolean;
}

interface Held extends RingKey {
  readonly endsAt: number;
  readonly isSpent: boolean;
}

export interface KeyRingOptions {
  /** From the birth of a key to its end; at eleven twelfths of it the next one is born. */
  readonly lifeMs: number;
  readonly requestsMax?: number;
  /** No key could be made. */
  readonly onFailed: (error: unknown) => void;
}

/** Private keys that are born here and live in this memory alone. */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { lifeMs, requestsMax = REQUESTS_MAX, onFailed } = options;
  /** The newest first. */
  let keys: Held[] = [];

  function succeed(key: Held): void {
    if (keys[0] === key) addKey(nextId(key.pair.config.keyId)).catch(onFailed);
  }

  async function addKey(keyId: number): Promise<void> {
    const pair = await generateKeyPair(keyId);
    const seen = new Set<string>();
    const key: Held = {
      pair,
      endsAt: performance.now() + lifeMs,
      get isSpent() {
        return seen.size >= requestsMax;
      },
      admit(enc) {
        const name = Buffer.from(enc).toString('latin1');
        if (key.isSpent || seen.has(name)) return false;
        seen.add(name);
        if (key.isSpent) succeed(key);
        return true;
      },
    };
    keys = [key, ...keys];
    setTimeout(() => succeed(key), lifeMs * (1 - OVERLAP));
    setTimeout(() => (keys = keys.filter((other) => other !== key)), lifeMs);
  }

  // At random: one that comes after another agent shall not be taken for it.
  await addKey(crypto.getRandomValues(new Uint8Array(1))[0] ?? 0);
  return {
    offer() {
      const [newest] = keys;
      if (newest === undefined) throw new Error('there is no key');
      return {
        configs: encodeKeyConfigs([newest.pair.config]),
        freshSeconds: Math.floor((newest.endsAt - performance.now()) / 1000),
      };
    },
    find: (keyId) => keys.find(({ pair, isSpent }) => pair.config.keyId === keyId && !isSpent),
  };
}

function nextId(keyId: number): number {
  return (keyId + 1) % 256;
}
