import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/**
 * Canaries: random marks sent through every input of a call. All marks of a run share a random stem of more
 * than 100 bits, so one search for the stem in every encoding finds any of them, and the text after it tells
 * which input leaked.
 */
export interface CanaryRun {
  readonly stem: string;
  /** A new mark for one input. */
  mark(sink: string): string;
  /** The inputs marked so far. */
  readonly sinks: ReadonlyMap<string, string>;
}

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

export function startCanaryRun(): CanaryRun {
  const stem = `jfc${[...randomBytes(21)].map((byte) => ALPHABET.charAt(byte & 31)).join('')}`;
  const sinks = new Map<string, string>();
  return {
    stem,
    sinks,
    mark(sink) {
      const mark = `${stem}x${String(sinks.size).padStart(3, '0')}x`;
      sinks.set(mark, sink);
      return mark;
    },
  };
}

export interface Needle {
  readonly encoding: string;
  readonly bytes: Buffer;
}

/** Numbers of moderate size whose bytes, as 32-bit floats, spell a mark three characters at a time. */
export function vectorOf(mark: string): Float32Array<ArrayBuffer> {
  const groups = mark.match(/.{3}/gs) ?? [];
  const bytes = Uint8Array.from(Buffer.from(groups.map((three) => `${three}?`).join(''), 'latin1'));
  return new Float32Array(bytes.buffer);
}

/** Base64 of `text` as it looks when it starts `offset` bytes after a group boundary, without unstable ends. */
function base64Within(text: string, offset: number, form: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
    .toString(form)
    .replace(/=+$/, '');
  const head = offset === 0 ? 0 : offset + 1;
  const tail = (offset + text.length) % 3 === 0 ? 0 : 1;
  return encoded.slice(head, encoded.length - tail);
}

/** Every form in which the stem would lie somewhere (privacy-engineering: where remnants hide). */
export function needlesFor(stem: string): Needle[] {
  const bytes = Buffer.from(stem);
  const hex = bytes.toString('hex');
  const forms: [string, Buffer | string][] = [
    ['utf-8', bytes],
    ['utf-8 upper case', stem.toUpperCase()],
    ['utf-16le', Buffer.from(stem, 'utf16le')],
    ['utf-16be', Buffer.from(stem, 'utf16le').swap16()],
    ['reversed', Buffer.from(stem).reverse()],
    ['hex', hex],
    ['hex upper case', hex.toUpperCase()],
    ['percent-encoded', hex.replaceAll(/../g, '%$&')],
    ['percent-encoded upper case', hex.toUpperCase().replaceAll(/../g, '%$&')],
    ['json-escaped', hex.replaceAll(/../g, '\\u00$&')],
    ['decimal list', [...bytes].join(',')],
    ['vector', Buffer.from(vectorOf(stem).buffer)],
  ];
  for (const offset of [0, 1, 2]) forms.push([`base64 +${offset}`, base64Within(stem, offset, 'base64')]);
  for (const offset of [0, 1, 2]) forms.push([`base64 of utf-16le +${offset}`, base64Within16(stem, offset)]);
  return forms.map(([encoding, form]) => ({ encoding, bytes: Buffer.from(form as string) }));
}

function base64Within16(stem: string, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(stem, 'utf16le')])
    .toString('base64')
    .replace(/=+$/, '');
  return encoded.slice(offset === 0 ? 0 : offset + 1, -2);
}

const PARTIAL = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 26 };

/** Raw inflation after the gzip header, so that whatever follows the member does not matter. */
function inflateGzipMember(bytes: Buffer): Buffer {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + bytes.readUInt16LE(at);
  if ((flags & 8) !== 0) at = bytes.indexOf(0, at) + 1;
  if ((flags & 16) !== 0) at = bytes.indexOf(0, at) + 1;
  return inflateRawSync(bytes.subarray(at), PARTIAL);
}

const MAGICS: [string, Buffer, (bytes: Buffer) => Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08]), inflateGzipMember],
  ['zlib', Buffer.from([0x78, 0x9c]), (bytes) => inflateSync(bytes, PARTIAL)],
  [
    'zstd',
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    (bytes) => zstdDecompressSync(bytes, { maxOutputLength: 1 << 26 }),
  ],
];

export interface Hit {
  readonly encoding: string;
  /** Some bytes around the find, printable, to tell which input it was. */
  readonly excerpt: string;
}

/** Searches bytes for the needles, also inside compressed streams that begin anywhere in them (one level deep). */
export function search(content: Buffer, needles: readonly Needle[]): Hit[] {
  const hits = searchPlain(content, needles, '');
  for (const [name, magic, inflate] of MAGICS) {
    for (
      let at = content.indexOf(magic), tries = 0;
      at !== -1 && tries < 200;
      at = content.indexOf(magic, at + 1), tries++
    ) {
      const inflated = tryInflate(content.subarray(at), inflate);
      if (inflated !== undefined) hits.push(...searchPlain(inflated, needles, `${name}, `));
    }
  }
  if (content.length < 1 << 20) {
    const brotli = tryInflate(content, (b) => brotliDecompressSync(b, { maxOutputLength: 1 << 24 }));
    if (brotli !== undefined) hits.push(...searchPlain(brotli, needles, 'brotli, '));
  }
  return hits;
}

/** Searches bytes as they lie, without looking into compressed ones. */
export function searchPlain(content: Buffer, needles: readonly Needle[], within: string): Hit[] {
  const hits: Hit[] = [];
  for (const { encoding, bytes } of needles) {
    const at = content.indexOf(bytes);
    if (at === -1) continue;
    const around = content.subarray(Math.max(0, at - 40), at + bytes.length + 40);
    hits.push({
      encoding: within + encoding,
      excerpt: around.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.'),
    });
  }
  return hits;
}

function tryInflate(bytes: Buffer, inflate: (bytes: Buffer) => Buffer): Buffer | undefined {
  try {
    return inflate(bytes);
  } catch {
    return undefined;
  }
}
