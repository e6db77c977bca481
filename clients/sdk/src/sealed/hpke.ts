import { NONCE_BYTES, Sequence } from './aead.ts';
import { type Bytes, EMPTY, concat, uint, utf8 } from './bytes.ts';
import { OpeningError } from './errors.ts';
import { HASH_BYTES, expand, extract } from './hkdf.ts';

/**
 * HPKE (RFC 9180), base mode, of one KEM and KDF: DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256. Of the AEADs AES-256-GCM
 * is the one that we offer; AES-128-GCM is there for others' keys and the published vectors.
 */
export const KEM_ID = 0x0020;
export const KDF_ID = 0x0001;
export const PUBLIC_KEY_BYTES = 32;

/** AEAD id → key length in bytes. */
const KEY_BYTES: Readonly<Record<number, number>> = { 0x0001: 16, 0x0002: 32 };
export const AES_256_GCM = 0x0002;

export function isKnownAead(id: number): boolean {
  return id in KEY_BYTES;
}

/** Nk of RFC 9180. */
export function keyBytes(aeadId: number): number {
  const length = KEY_BYTES[aeadId];
  if (length === undefined) throw new OpeningError();
  return length;
}

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export interface HpkeKeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  readonly privateKey: Key;
}

/** What both ends share after the key exchange. */
export interface HpkeContext {
  /** The encapsulated key, 32 bytes. */
  readonly enc: Bytes;
  /** Messages from the one who encapsulated, in order. */
  readonly messages: Sequence;
  /** A secret of `length` bytes for another use; equal contexts give equal secrets. */
  export(context: Bytes, length: number): Promise<Bytes>;
}

export interface Setup {
  readonly aeadId: number;
  readonly info: Bytes;
}

/** The private half cannot be taken out of the runtime again. */
export async function generateHpkeKeyPair(): Promise<HpkeKeyPair> {
  const pair = (await crypto.subtle.generateKey('X25519', false, ['deriveBits'])) as {
    readonly publicKey: Key;
    readonly privateKey: Key;
  };
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey, privateKey: pair.privateKey };
}

/** Throws OpeningError for a public key that is none. `ephemeral` is for published vectors alone. */
export async function setUpSender(
  publicKey: Bytes,
  setup: Setup,
  ephemeral?: HpkeKeyPair,
): Promise<HpkeContext> {
  const own = ephemeral ?? (await generateHpkeKeyPair());
  const enc = own.publicKey;
  return schedule(enc, await agree(own.privateKey, publicKey, concat(enc, publicKey)), setup);
}

/** Throws OpeningError for an encapsulated key that is none. */
export async function setUpReceiver(own: HpkeKeyPair, enc: Bytes, setup: Setup): Promise<HpkeContext> {
  return schedule(enc, await agree(own.privateKey, enc, concat(enc, own.publicKey)), setup);
}

const VERSION = utf8('HPKE-v1');
const KEM_SUITE = concat(utf8('KEM'), uint(KEM_ID, 2));

interface Labeled {
  readonly suite: Bytes;
  readonly label: string;
}

function labeledExtract(salt: Bytes, { suite, label }: Labeled, secret: Bytes): Promise<Bytes> {
  return extract(salt, concat(VERSION, suite, utf8(label), secret));
}

function labeledExpand(prk: Bytes, { suite, label }: Labeled, info: Bytes, length: number): Promise<Bytes> {
  return expand(prk, concat(uint(length, 2), VERSION, suite, utf8(label), info), length);
}

async function agree(privateKey: Key, publicKey: Bytes, kemContext: Bytes): Promise<Bytes> {
  const shared = await diffieHellman(privateKey, publicKey);
  // A point of small order: everybody would know the secret.
  if (shared.every((byte) => byte === 0)) throw new OpeningError();
  const prk = await labeledExtract(EMPTY, { suite: KEM_SUITE, label: 'eae_prk' }, shared);
  return labeledExpand(prk, { suite: KEM_SUITE, label: 'shared_secret' }, kemContext, HASH_BYTES);
}

async function diffieHellman(privateKey: Key, publicKey: Bytes): Promise<Bytes> {
  try {
    const peer = await crypto.subtle.importKey('raw', publicKey, { name: 'X25519' }, false, []);
    const bits = await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, privateKey, 256);
    return new Uint8Array(bits);
  } catch {
    throw new OpeningError();
  }
}

async function schedule(enc: Bytes, shared: Bytes, { aeadId, info }: Setup): Promise<HpkeContext> {
  const suite = concat(utf8('HPKE'), uint(KEM_ID, 2), uint(KDF_ID, 2), uint(aeadId, 2));
  const pskIdHash = await labeledExtract(EMPTY, { suite, label: 'psk_id_hash' }, EMPTY);
  const infoHash = await labeledExtract(EMPTY, { suite, label: 'info_hash' }, info);
  const context = concat(Uint8Array.of(0), pskIdHash, infoHash);
  const secret = await labeledExtract(shared, { suite, label: 'secret' }, EMPTY);
  const derive = (label: string, length: number) => labeledExpand(secret, { suite, label }, context, length);
  const [key, nonce, exporter] = await Promise.all([
    derive('key', keyBytes(aeadId)),
    derive('base_nonce', NONCE_BYTES),
    derive('exp', HASH_BYTES),
  ]);
  return {
    enc,
    messages: await Sequence.create(key, nonce),
    export: (exportContext, length) =>
      labeledExpand(exporter, { suite, label: 'sec' }, exportContext, length),
  };
}
