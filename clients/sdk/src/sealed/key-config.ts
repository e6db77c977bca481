import { type Bytes, concat, toUint, uint } from './bytes.ts';
import { MalformedError } from './errors.ts';
import { AES_256_GCM, KDF_ID, KEM_ID, PUBLIC_KEY_BYTES, isKnownAead } from './hpke.ts';

/** A public key for sealed requests (RFC 9458, section 3). */
export interface KeyConfig {
  /** 0 to 255. */
  readonly keyId: number;
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** Ids of the AEADs that go with it and HKDF-SHA256. */
  readonly aeadIds: readonly number[];
}

export const KEY_CONFIGS_TYPE = 'application/ohttp-keys';

/** The bytes of `application/ohttp-keys`, in order of preference. */
export function encodeKeyConfigs(configs: readonly KeyConfig[]): Bytes {
  return concat(...configs.map(encodeKeyConfig).flatMap((each) => [uint(each.length, 2), each]));
}

export function encodeKeyConfig({ keyId, publicKey, aeadIds }: KeyConfig): Bytes {
  const algorithms = aeadIds.map((aeadId) => concat(uint(KDF_ID, 2), uint(aeadId, 2)));
  return concat(uint(keyId, 1), uint(KEM_ID, 2), publicKey, uint(algorithms.length * 4, 2), ...algorithms);
}

/**
 * The configurations that can be used here, in their order. One mistake anywhere and the whole list is refused
 * (MalformedError), so that nobody can take away the better ones by spoiling them.
 */
export function parseKeyConfigs(list: Uint8Array): KeyConfig[] {
  const usable: KeyConfig[] = [];
  for (let at = 0; at < list.length;) {
    const length = toUint(list.subarray(at, at + 2));
    const config = list.slice(at + 2, at + 2 + length);
    at += 2 + length;
    if (at > list.length) throw new MalformedError('a key configuration is cut off');
    const parsed = parseKeyConfig(config);
    if (parsed !== undefined && parsed.aeadIds.length > 0) usable.push(parsed);
  }
  if (usable.length === 0) throw new MalformedError('no key configuration can be used here');
  return usable;
}

/** Undefined for a KEM that is not known here: how long its key is cannot be told. */
function parseKeyConfig(config: Uint8Array): KeyConfig | undefined {
  if (config.length < 3) throw new MalformedError('a key configuration is cut off');
  if (toUint(config.subarray(1, 3)) !== KEM_ID) return undefined;
  const algorithmsAt = 3 + PUBLIC_KEY_BYTES + 2;
  const algorithms = config.subarray(algorithmsAt);
  const isWhole = config.length >= algorithmsAt + 4 && algorithms.length % 4 === 0;
  if (!isWhole || toUint(config.subarray(algorithmsAt - 2, algorithmsAt)) !== algorithms.length) {
    throw new MalformedError('the algorithms of a key configuration do not fit their length');
  }
  const aeadIds: number[] = [];
  for (let at = 0; at < algorithms.length; at += 4) {
    const aeadId = toUint(algorithms.subarray(at + 2, at + 4));
    if (toUint(algorithms.subarray(at, at + 2)) === KDF_ID && isKnownAead(aeadId)) aeadIds.push(aeadId);
  }
  return {
    keyId: config[0] ?? 0,
    publicKey: new Uint8Array(config.subarray(3, 3 + PUBLIC_KEY_BYTES)),
    aeadIds,
  };
}

/** AES-256-GCM where it is offered. */
export function bestAead({ aeadIds }: KeyConfig): number {
  const [first = AES_256_GCM] = aeadIds;
  return aeadIds.includes(AES_256_GCM) ? AES_256_GCM : first;
}

/** SHA-256 of a list of key configurations as it came, in hex: to compare over another way that others got the same. */
export async function keyFingerprint(list: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(list)));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
