import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of a hand-made zip. Everything that a header states can be a lie. */
export interface RawEntry {
  readonly name: string | Uint8Array;
  readonly data?: string | Uint8Array;
  /** 8 (Deflate) unless given. */
  readonly method?: number;
  /** Unix mode with its type bits, for example 0o120777 for a symbolic link; none unless given. */
  readonly mode?: number;
  readonly flags?: number;
  /** What the headers declare instead of the truth. */
  readonly declaredBytes?: number;
  readonly declaredCrc?: number;
  readonly localName?: string;
  /** Where the central directory says that the local header is. */
  readonly headerAt?: number;
  readonly dosAttributes?: number;
}

export interface RawArchive {
  readonly entryCount?: number;
  readonly comment?: string;
}

/** A zip from bytes, able to state what no honest tool writes. */
export function rawZip(entries: readonly RawEntry[], archive: RawArchive = {}): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const { local, record } = encodeEntry(entry);
    parts.push(local);
    record.writeUInt32LE(entry.headerAt ?? position, 42);
    central.push(record);
    position += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(archive.entryCount ?? entries.length, 8);
  end.writeUInt16LE(archive.entryCount ?? entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(position, 16);
  const comment = Buffer.from(archive.comment ?? '');
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directory, end, comment]);
}

function encodeEntry(entry: RawEntry): { local: Buffer; record: Buffer } {
  const data = Buffer.from(entry.data ?? '');
  const method = entry.method ?? 8;
  const packed = method === 8 ? deflateRawSync(data) : data;
  const name = Buffer.from(entry.name);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(entry.flags ?? 0x800, 2);
  common.writeUInt16LE(method, 4);
  common.writeUInt32LE(entry.declaredCrc ?? crc32(data), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(entry.declaredBytes ?? data.length, 18);

  const localName = entry.localName === undefined ? name : Buffer.from(entry.localName);
  const localHeader = Buffer.from(common);
  localHeader.writeUInt16LE(localName.length, 22);
  const local = Buffer.concat([signature(0x04034b50), localHeader, localName, packed]);

  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE((3 << 8) | 20, 4);
  common.copy(record, 6, 0, 22);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt32LE((((entry.mode ?? 0) << 16) | (entry.dosAttributes ?? 0)) >>> 0, 38);
  return { local, record: Buffer.concat([record, name]) };
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Deterministic pseudo-random numbers in [0, 1) for property tests; the seed is printed with a failure. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
