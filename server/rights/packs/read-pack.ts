import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Entry, RandomAccessReader, type ZipFile, fromRandomAccessReaderPromise } from 'yauzl';
import { PlatformError } from '../../kernel/errors.ts';
import type { Copier, PackFile, PackReader } from '../copier.ts';
import { packErrors } from './errors.ts';
import {
  BAG_DECLARATION,
  FORMAT,
  FORMAT_VERSION,
  type KnownFile,
  Manifest,
  PATHS,
  bagPath,
  knownFiles,
  rowsPath,
  schemaPath,
  zipPath,
} from './layout.ts';
import type { PackLimits } from './limits.ts';
import { linesOf } from './lines.ts';
import type { Spool } from './spool.ts';

/** A pack that has arrived as a whole, and of which everything was checked. */
export interface ArrivedPack {
  /** Of its own manifest, which holds the hashes of all rows: what names the pack in receipts. */
  readonly sha256: string;
  /** What it says that it lacks. */
  readonly missing: Pick<Manifest, 'missing' | 'missingCount'>;
  readerOf(copier: Copier): PackReader;
}

const STORED = 0;
const DEFLATED = 8;
const REGULAR_FILE = 0o100000;
const FILE_TYPE_MASK = 0o170000;

/**
 * Checks a pack to its last row before anybody sees a row of it: names, kinds, sizes, ratio, hashes and forms. It was sent
 * by anybody, so whatever it says is a claim. Throws `rights.pack_*`.
 */
export async function readPack(
  spool: Spool,
  { copiers, limits }: { readonly copiers: readonly Copier[]; readonly limits: PackLimits },
): Promise<ArrivedPack> {
  try {
    const known = knownFiles(copiers);
    const zip = await fromRandomAccessReaderPromise(new SpoolReader(spool), spool.bytes, {
      autoClose: false,
      strictFileNames: true,
    });
    const pack = new Pack(zip, await entriesOf(zip, { known, limits, packBytes: spool.bytes }), limits);
    const { sha256, missing } = await pack.check(known);
    const lacks = (path: string, object: string): boolean =>
      missing.missing.some(({ path: at, name }) => at === path && (name === object || name === null));
    return {
      sha256,
      missing,
      readerOf: ({ area }) => ({
        rows: (file) => pack.rows(rowsPath(area, file), file),
        lacks: (file, name) => lacks(bagPath(rowsPath(area, file)), name),
      }),
    };
  } catch (thrown) {
    throw thrown instanceof PlatformError ? thrown : packErrors.notAPack(thrown);
  }
}

class SpoolReader extends RandomAccessReader {
  readonly #spool: Spool;

  constructor(spool: Spool) {
    super();
    this.#spool = spool;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return this.#spool.read(start, end);
  }
}

interface EntryRules {
  readonly known: ReadonlyMap<string, KnownFile>;
  readonly limits: PackLimits;
  readonly packBytes: number;
}

/** Only names that a copy can have are let in, so none can lead anywhere else. */
async function entriesOf(
  zip: ZipFile,
  { known, limits, packBytes }: EntryRules,
): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > limits.entriesMax) throw packErrors.bomb();
  const schemas = [...known.values()].map(({ area, file }) => schemaPath(area, file));
  const allowed = new Set<string>([...Object.values(PATHS), ...known.keys(), ...schemas]);
  const unpackedMax = Math.min(
    limits.unpackedBytesMax,
    Math.max(limits.ratioFreeBytes, packBytes * limits.ratioMax),
  );
  const entries = new Map<string, Entry>();
  let unpacked = 0;
  for await (const entry of zip.eachEntry()) {
    if (!allowed.has(entry.fileName) || entries.has(entry.fileName) || !isPlainFile(entry))
      throw packErrors.unsafe();
    unpacked += entry.uncompressedSize;
    if (unpacked > unpackedMax) throw packErrors.bomb();
    entries.set(entry.fileName, entry);
  }
  return entries;
}

function isPlainFile(entry: Entry): boolean {
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  const isKnownMethod = entry.compressionMethod === STORED || entry.compressionMethod === DEFLATED;
  return !entry.isEncrypted() && isKnownMethod && (type === 0 || type === REGULAR_FILE);
}

class Pack {
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #limits: PackLimits;

  constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>, limits: PackLimits) {
    this.#zip = zip;
    this.#entries = entries;
    this.#limits = limits;
  }

  /** Both manifests name exactly what is there, with its hash and form. */
  async check(known: ReadonlyMap<string, KnownFile>): Promise<Pick<ArrivedPack, 'sha256' | 'missing'>> {
    if ((await this.#small(PATHS.declaration)) !== BAG_DECLARATION) throw packErrors.notAPack();
    const hashes = parseHashes(await this.#small(PATHS.hashes));
    const payload = [...this.#entries.keys()].filter((path) => bagPath(path).startsWith('data/'));
    if (payload.length !== hashes.size || !payload.every((path) => hashes.has(path)))
      throw packErrors.tampered();
    for (const path of payload) {
      const found = known.get(path);
      if ((await this.#hashOf(path)) !== hashes.get(path)) throw packErrors.tampered();
      if (found !== undefined) for await (const _row of this.rows(path, found.file));
    }
    const missing = await this.#checkManifest(known, hashes);
    return { sha256: hashes.get(PATHS.manifest) ?? '', missing };
  }

  async *rows<Row>(path: string, file: PackFile<Row>): AsyncGenerator<Row> {
    if (!this.#entries.has(path)) return;
    let number = 0;
    for await (const line of linesOf(await this.#open(path), this.#limits.lineBytesMax)) {
      number++;
      const row = line === undefined ? undefined : file.row.safeParse(parseJson(line));
      if (row?.success !== true) throw packErrors.badRow(bagPath(path), number);
      yield row.data;
    }
  }

  async #checkManifest(
    known: ReadonlyMap<string, KnownFile>,
    hashes: ReadonlyMap<string, string>,
  ): Promise<ArrivedPack['missing']> {
    const written = parseJson(Buffer.from(await this.#small(PATHS.manifest)));
    if (!isOurFormat(written)) throw packErrors.otherFormat();
    const manifest = Manifest.parse(written);
    const listed = new Map(manifest.files.map((file) => [zipPath(file.path), file]));
    const present = [...known.keys()].filter((path) => this.#entries.has(path));
    const isComplete =
      listed.size === manifest.files.length &&
      listed.size === present.length &&
      present.every((path) => {
        const file = listed.get(path);
        const bytes = this.#entries.get(path)?.uncompressedSize;
        return file?.sha256 === hashes.get(path) && file?.bytes === bytes;
      });
    if (!isComplete) throw packErrors.tampered();
    return manifest;
  }

  /** A file that is read as a whole. */
  async #small(path: string): Promise<string> {
    const size = this.#entries.get(path)?.uncompressedSize;
    if (size === undefined) throw packErrors.notAPack();
    if (size > this.#limits.manifestBytesMax) throw packErrors.bomb();
    return (await buffer(await this.#open(path))).toString('utf8');
  }

  async #hashOf(path: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of await this.#open(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  /** More or fewer bytes than its entry says fail it. */
  async #open(path: string): Promise<Readable> {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw packErrors.notAPack();
    return await this.#zip.openReadStreamPromise(entry);
  }
}

function parseHashes(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const [, hash, path] = /^([0-9a-f]{64}) {2}(data\/[a-z0-9./-]{1,200})$/.exec(line) ?? [];
    if (hash === undefined || path === undefined || hashes.has(zipPath(path))) throw packErrors.tampered();
    hashes.set(zipPath(path), hash);
  }
  return hashes;
}

function isOurFormat(written: unknown): boolean {
  return (
    typeof written === 'object' &&
    written !== null &&
    'format' in written &&
    written.format === FORMAT &&
    'version' in written &&
    written.version === FORMAT_VERSION
  );
}

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
