import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Copier, PackFile, PackWriter } from '../copier.ts';
import { knownFiles } from './layout.ts';
import {
  BAG_DECLARATION,
  FORMAT,
  FORMAT_VERSION,
  type Manifest,
  type ManifestFile,
  type MissingPart,
  PATHS,
  bagPath,
  rowsPath,
  schemaPath,
} from './layout.ts';
import { MissingParts } from './missing-parts.ts';
import { CONTEXT, schemaOf } from './schemas.ts';

export interface NewPack {
  readonly copiers: readonly Copier[];
  /** Name and version of the platform. */
  readonly generator: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly subject: string;
}

/** A pack that goes out while it is made: nothing of it lies anywhere as a whole. */
export interface OutgoingPack {
  /** The zip. Destroying it ends the making; it fails when the making does. */
  readonly output: Readable;
  /** Where an area writes its files. */
  writerOf(copier: Copier): PackWriter;
  /** What people read, made from the files that there are, then the manifests. */
  finish(page: (files: readonly ManifestFile[], missing: readonly MissingPart[]) => string): Promise<void>;
  missingCount(): number;
}

/** Rows go through in pieces of this size. */
const PIECE_BYTES = 64 * 1024;
const FILE_MODE = 0o100644;

export function createPack({ copiers, generator, createdAt, subject }: NewPack): OutgoingPack {
  const zip = new ZipFile();
  // yazl's output is a stream of Node's own, though its types say less.
  const output = zip.outputStream as Readable;
  const options = { mtime: new Date(createdAt), mode: FILE_MODE };
  const known = knownFiles(copiers);
  const hashes = new Map<string, string>();
  const files: ManifestFile[] = [];
  const missing = new MissingParts();
  let current: Readable | undefined;
  zip.on('error', (error: Error) => output.destroy(error));
  output.once('close', () => current?.destroy());
  output.on('error', () => undefined);

  function add(path: string, text: string): void {
    zip.addBuffer(Buffer.from(text), path, options);
    if (path.includes('/data/')) hashes.set(path, createHash('sha256').update(text).digest('hex'));
  }

  async function addRows(path: string, rows: AsyncIterable<object> | Iterable<object>): Promise<Counted> {
    const counted = new Counted();
    const readable = untilFailure(inContext(rows), (thrown) => missing.add(bagPath(path), null, thrown));
    current = Readable.from(counted.lines(readable), { objectMode: false });
    if (output.destroyed) current.destroy();
    zip.addReadStream(current, path, options);
    await finished(current, { writable: false });
    hashes.set(path, counted.sha256());
    return counted;
  }

  add(PATHS.declaration, BAG_DECLARATION);
  add(PATHS.context, json(CONTEXT));
  return {
    output,
    writerOf: ({ area }) => ({
      missing: (file, name, thrown) => missing.add(bagPath(rowsPath(area, file)), name, thrown),
      async rows(file: PackFile, rows) {
        const path = rowsPath(area, file);
        const found = known.get(path);
        if (found?.file !== file || hashes.has(path)) throw new Error(`a copy has no place for ${path}`);
        add(schemaPath(area, file), json(schemaOf(area, file)));
        const counted = await addRows(path, rows);
        files.push({
          path: bagPath(path),
          title: file.title,
          nature: file.nature,
          isImportable: found.isImportable,
          schema: bagPath(schemaPath(area, file)),
          rows: counted.rows,
          bytes: counted.bytes,
          sha256: counted.sha256(),
        });
      },
    }),
    async finish(page) {
      add(PATHS.page, page(files, missing.told));
      const manifest: Manifest = {
        format: FORMAT,
        version: FORMAT_VERSION,
        generator,
        createdAt,
        subject,
        files,
        missing: missing.told,
        missingCount: missing.count,
      };
      add(PATHS.manifest, json(manifest));
      add(PATHS.hashes, [...hashes].map(([path, hash]) => `${hash}  ${bagPath(path)}\n`).join(''));
      zip.end();
      await finished(output, { writable: false });
    },
    missingCount: () => missing.count,
  };
}

/** A row that cannot be read is the end of its file, and not of the copy. */
async function* untilFailure(
  rows: AsyncIterable<object>,
  tell: (thrown: unknown) => void,
): AsyncGenerator<object> {
  try {
    yield* rows;
  } catch (thrown) {
    tell(thrown);
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Rows are drawn by whoever reads the zip, and made as an act of whoever writes it. */
function inContext(rows: AsyncIterable<object> | Iterable<object>): AsyncIterable<object> {
  const run = AsyncLocalStorage.snapshot();
  return (async function* () {
    const source = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
    try {
      for (;;) {
        const { done, value } = await run(async () => await source.next());
        if (done === true) return;
        yield value as object;
      }
    } finally {
      await run(async () => await source.return?.());
    }
  })();
}

/** Rows on their way out: JSON Lines, counted and hashed. */
class Counted {
  rows = 0;
  bytes = 0;
  readonly #hash = createHash('sha256');
  #digest: string | undefined;

  async *lines(rows: AsyncIterable<object> | Iterable<object>): AsyncGenerator<Buffer> {
    let piece = '';
    for await (const row of rows) {
      this.rows++;
      piece += `${JSON.stringify(row)}\n`;
      if (piece.length < PIECE_BYTES) continue;
      yield this.#passed(piece);
      piece = '';
    }
    if (piece !== '') yield this.#passed(piece);
  }

  sha256(): string {
    return (this.#digest ??= this.#hash.digest('hex'));
  }

  #passed(piece: string): Buffer {
    const bytes = Buffer.from(piece);
    this.bytes += bytes.byteLength;
    this.#hash.update(bytes);
    return bytes;
  }
}
