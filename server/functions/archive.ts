import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';
import { PlatformError } from '../kernel/errors.ts';
import type { SourceFile, SourceTree } from '../kernel/source-tree.ts';
import { archiveError, archiveTooLarge, checkEntry, shown, type CheckedEntry } from './archive-entry.ts';
import { applyIgnoreRules } from './ignore-rules.ts';
import { ARCHIVE_LIMITS } from './limits.ts';

const LOCAL_HEADER = 0x04034b50;
const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const ZIP64_END_OF_CENTRAL_DIRECTORY = 0x06064b50;
const SPEC_FILE = 'jellyspec.json';
/** What the macOS Finder adds to every archive. */
const FINDER_METADATA = /^__MACOSX(\/|$)|(^|\/)\.DS_Store$/;

const inflate = promisify(inflateRaw);

/**
 * Unpacks an uploaded zip in memory: the function's files relative to the folder that holds jellyspec.json, with
 * `.jellyfaasignore` applied. The archive is hostile: everything it claims is checked before and while
 * unpacking, and anything odd is refused with `functions.archive_*` (kind `invalid_argument` or `too_large`).
 */
export async function readArchive(zip: Uint8Array): Promise<SourceTree> {
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
  const archive = await openArchive(bytes);
  const centralDirectoryStart = cursorOf(archive);
  const entries = await readCentralDirectory(archive, bytes);
  refuseDuplicates(entries);
  const spans = await locateData(archive, entries, centralDirectoryStart);
  const files = await unpack(bytes, spans);
  return applyIgnoreRules(stripRoot(files));
}

async function openArchive(bytes: Buffer): Promise<ZipFile> {
  if (bytes.length > ARCHIVE_LIMITS.uploadBytesMax) {
    const limitMib = ARCHIVE_LIMITS.uploadBytesMax / 1024 / 1024;
    throw archiveTooLarge(
      'too_large',
      `The archive is larger than ${limitMib} MiB. Leave dependencies out of it.`,
    );
  }
  const signature = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (signature !== LOCAL_HEADER && signature !== END_OF_CENTRAL_DIRECTORY) {
    throw archiveError('not_a_zip', 'The upload is not a zip archive. Make one with "jellyfaas zip".');
  }
  try {
    // Names are decoded and sizes compared here, not by the library: it would accept names it cannot decode.
    return await fromBufferPromise(bytes, { decodeStrings: false, validateEntrySizes: false });
  } catch (error) {
    throw archiveError('truncated', 'The archive is cut off or damaged at its end. Upload it again.', error);
  }
}

async function readCentralDirectory(archive: ZipFile, bytes: Buffer): Promise<CheckedEntry[]> {
  if (archive.entryCount > ARCHIVE_LIMITS.entriesMax) {
    throw archiveTooLarge(
      'too_many_entries',
      `The archive has more than ${ARCHIVE_LIMITS.entriesMax} entries.`,
    );
  }
  const entries: CheckedEntry[] = [];
  try {
    for await (const entry of archive.eachEntry()) entries.push(checkEntry(entry));
  } catch (error) {
    throw malformed(error);
  }
  const end = cursorOf(archive);
  const signature = end + 4 <= bytes.length ? bytes.readUInt32LE(end) : 0;
  if (signature !== END_OF_CENTRAL_DIRECTORY && signature !== ZIP64_END_OF_CENTRAL_DIRECTORY) {
    throw archiveError(
      'malformed',
      'The archive holds more or fewer entries than it says. Zip the folder again.',
    );
  }
  return entries;
}

/** Where the central directory is read next; the library's types wrongly call this number a boolean. */
function cursorOf(archive: ZipFile): number {
  return Number(archive.readEntryCursor);
}

function malformed(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof Error && error.message === 'strong encryption is not supported') {
    return archiveError('encrypted', 'The archive is encrypted. Make it without a password.', error);
  }
  return archiveError('malformed', 'The archive is damaged. Zip the folder again.', error);
}

/** Names that some file system would take for the same: equal after Unicode composition and case folding. */
function foldName(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

function refuseDuplicates(entries: readonly CheckedEntry[]): void {
  const seen = new Set<string>();
  const files = new Set<string>();
  for (const { path, directory } of entries) {
    const folded = foldName(path);
    if (seen.has(folded)) {
      throw archiveError(
        'duplicate_name',
        `${shown(path)} is in the archive twice, or differs from another name by upper case or accents only.`,
      );
    }
    seen.add(folded);
    if (!directory) files.add(folded);
  }
  for (const { path } of entries) {
    const folded = foldName(path);
    for (let slash = folded.indexOf('/'); slash !== -1; slash = folded.indexOf('/', slash + 1)) {
      if (files.has(folded.slice(0, slash))) {
        throw archiveError(
          'duplicate_name',
          `${shown(path)} lies below a name that is a file in the same archive.`,
        );
      }
    }
  }
}

interface DataSpan {
  readonly checked: CheckedEntry;
  readonly headerStart: number;
  readonly start: number;
  readonly end: number;
}

/** Finds each entry's data and refuses archives whose entries share bytes or disagree with their own headers. */
async function locateData(
  archive: ZipFile,
  entries: readonly CheckedEntry[],
  centralDirectoryStart: number,
): Promise<DataSpan[]> {
  const spans: DataSpan[] = [];
  for (const checked of entries) spans.push(await locateEntry(archive, checked));
  let previousEnd = 0;
  for (const span of spans.toSorted((a, b) => a.headerStart - b.headerStart)) {
    if (span.headerStart < previousEnd || span.end > centralDirectoryStart) {
      throw archiveError('overlap', `${shown(span.checked.path)} shares its bytes with another entry.`);
    }
    previousEnd = span.end;
  }
  return spans;
}

async function locateEntry(archive: ZipFile, checked: CheckedEntry): Promise<DataSpan> {
  const { entry } = checked;
  let header;
  try {
    header = await archive.readLocalFileHeaderPromise(entry, {});
  } catch (error) {
    throw malformed(error);
  }
  const flagsDiffer = ((header.generalPurposeBitFlag ^ entry.generalPurposeBitFlag) & 1) !== 0;
  if (
    flagsDiffer ||
    header.compressionMethod !== entry.compressionMethod ||
    !header.fileName.equals(entry.fileNameRaw)
  ) {
    throw archiveError(
      'malformed',
      `${shown(checked.path)} has two contradicting headers. Zip the folder again.`,
    );
  }
  const headerStart = entry.relativeOffsetOfLocalHeader;
  return {
    checked,
    headerStart,
    start: header.fileDataStart,
    end: header.fileDataStart + entry.compressedSize,
  };
}

async function unpack(bytes: Buffer, spans: readonly DataSpan[]): Promise<Map<string, SourceFile>> {
  const ratioBytesMax = Math.max(ARCHIVE_LIMITS.ratioFreeBytes, bytes.length * ARCHIVE_LIMITS.ratioMax);
  let total = 0;
  const files = new Map<string, SourceFile>();
  for (const { checked, start, end } of spans) {
    if (checked.directory || FINDER_METADATA.test(checked.path)) continue;
    const allowance = Math.min(ARCHIVE_LIMITS.unpackedBytesMax, ratioBytesMax) - total;
    const data = await unpackEntry(bytes.subarray(start, end), checked, allowance);
    total += data.length;
    files.set(checked.path, { bytes: data, executable: checked.executable });
  }
  return files;
}

/** Inflates one entry, stopping as soon as it passes what it declared or what the archive may still unpack to. */
async function unpackEntry(
  packed: Buffer,
  { entry, path }: CheckedEntry,
  allowance: number,
): Promise<Buffer> {
  const declared = entry.uncompressedSize;
  if (declared > ARCHIVE_LIMITS.fileBytesMax) {
    throw archiveTooLarge(
      'file_too_large',
      `${shown(path)} unpacks to more than ${mib('fileBytesMax')} MiB.`,
    );
  }
  if (declared > allowance) {
    throw archiveTooLarge(
      'bomb',
      `The archive unpacks to more than ${mib('unpackedBytesMax')} MiB or ${ARCHIVE_LIMITS.ratioMax} times its size.`,
    );
  }
  const data = await inflateEntry(packed, entry, path);
  if (data.length !== declared || crc32(data) !== entry.crc32) {
    throw corrupt(path);
  }
  return data;
}

async function inflateEntry(packed: Buffer, entry: Entry, path: string): Promise<Buffer> {
  if (entry.compressionMethod === 0) return Buffer.from(packed);
  try {
    return await inflate(packed, { maxOutputLength: Math.max(entry.uncompressedSize, 1) });
  } catch (error) {
    throw corrupt(path, error);
  }
}

function corrupt(path: string, cause?: unknown): PlatformError {
  return archiveError(
    'corrupt',
    `${shown(path)} does not unpack to the size and checksum that the archive declares. Zip the folder again.`,
    cause,
  );
}

function mib(limit: 'fileBytesMax' | 'unpackedBytesMax'): number {
  return ARCHIVE_LIMITS[limit] / 1024 / 1024;
}

/** The files below the one root folder; an archive with jellyspec.json at its own root needs no folder. */
function stripRoot(files: ReadonlyMap<string, SourceFile>): SourceTree {
  if (files.has(SPEC_FILE)) return files;
  const roots = new Set([...files.keys()].map((path) => path.split('/', 1)[0] ?? ''));
  const [root] = roots;
  if (root === undefined || roots.size > 1 || files.has(root)) {
    throw archiveError(
      'root',
      'The archive needs one root folder, or jellyspec.json at its root. Make it with "jellyfaas zip".',
    );
  }
  if (!files.has(`${root}/${SPEC_FILE}`)) {
    throw archiveError(
      'no_spec',
      `There is no ${SPEC_FILE} in the folder ${shown(root)}. Add one and zip again.`,
    );
  }
  return new Map([...files].map(([path, file]) => [path.slice(root.length + 1), file]));
}
