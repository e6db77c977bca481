import { describe, expect, it } from 'vitest';
import { type Bytes, concat, uint } from './bytes.ts';
import { MalformedError } from './errors.ts';
import { bestAead, encodeKeyConfigs, keyFingerprint, parseKeyConfigs } from './key-config.ts';
import { hex, toHex } from './testing/rig.ts';

const KEY = '31e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155';
/** RFC 9458, appendix A: X25519 with AES-128-GCM and ChaCha20-Poly1305. */
const PUBLISHED = hex(`010020${KEY}00080001000100010003`);
const BOTH = hex(`020020${KEY}00080001000100010002`);
/** P-256, whose keys are 65 bytes. */
const OTHER_KEM = concat(hex('030010'), new Uint8Array(65), hex('000400010001'));

const list = (...configs: readonly Bytes[]) =>
  concat(...configs.flatMap((config) => [uint(config.length, 2), config]));

describe('key configurations', () => {
  it('are read as published: what can be used here, in its order', () => {
    expect(parseKeyConfigs(list(OTHER_KEM, PUBLISHED, BOTH))).toEqual([
      { keyId: 1, publicKey: hex(KEY), aeadIds: [1] },
      { keyId: 2, publicKey: hex(KEY), aeadIds: [1, 2] },
    ]);
  });

  it('come back as they were written', () => {
    const configs = [
      { keyId: 255, publicKey: hex(KEY), aeadIds: [2] },
      { keyId: 0, publicKey: hex(KEY), aeadIds: [1, 2] },
    ];
    expect(parseKeyConfigs(encodeKeyConfigs(configs))).toEqual(configs);
    expect(toHex(encodeKeyConfigs([{ keyId: 2, publicKey: hex(KEY), aeadIds: [1, 2] }]))).toBe(
      toHex(list(BOTH)),
    );
  });

  it('that offer AES-256-GCM anywhere are used with it', () => {
    const [published, both] = parseKeyConfigs(list(PUBLISHED, BOTH));
    expect([published, both].map((config) => config && bestAead(config))).toEqual([1, 2]);
  });

  it.each<[string, Bytes]>([
    ['nothing', list()],
    ['none that can be used', list(OTHER_KEM)],
    ['no algorithm that can be used', list(hex(`010020${KEY}000400010003`))],
    ['another KDF', list(hex(`010020${KEY}000400020001`))],
    ['a length without its bytes', concat(list(PUBLISHED), hex('0029'))],
    ['half a length', concat(list(PUBLISHED), hex('00'))],
    ['an empty configuration', list(PUBLISHED, hex(''))],
    ['no algorithms', list(PUBLISHED, hex(`010020${KEY}0000`))],
    ['half an algorithm', list(PUBLISHED, hex(`010020${KEY}00020001`))],
    ['a wrong length of algorithms', list(PUBLISHED, hex(`010020${KEY}000800010001`))],
    ['bytes after the algorithms', list(concat(PUBLISHED, hex('00')))],
  ])('are refused all together for one mistake: %s', (_, bytes) => {
    expect(() => parseKeyConfigs(bytes)).toThrow(MalformedError);
  });

  it('are refused when cut anywhere but between two', () => {
    const bytes = list(PUBLISHED, BOTH);
    for (let length = 0; length < bytes.length; length++)
      if (length !== PUBLISHED.length + 2)
        expect(() => parseKeyConfigs(bytes.subarray(0, length))).toThrow(MalformedError);
  });

  it('have one fingerprint, which every other list lacks', async () => {
    const own = await keyFingerprint(list(PUBLISHED));
    expect(own).toMatch(/^[0-9a-f]{64}$/);
    expect(await keyFingerprint(list(PUBLISHED))).toBe(own);
    expect(await keyFingerprint(list(BOTH))).not.toBe(own);
  });
});
