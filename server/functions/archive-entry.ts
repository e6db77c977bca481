import type { Entry } from 'yauzl';
import { PlatformError } from '../kernel/errors.ts';
import { ARCHIVE_LIMITS } from './limits.ts';

/** An entry of the central directory that passed every check that needs no file data. */
export interface CheckedEntry {
  readonly entry: Entry;
  /** As in the archive, without a directory's trailing slash. */
  readonly path: string;
  readonly directory: boolean;
  readonly executable: boolean;
}

export function archiveError(what: string, message: string, cause?: unknown): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: `functions.archive_${what}`, message, cause });
}

export function archiveTooLarge(what: string, message: string): PlatformError {
  return new PlatformError({ kind: 'too_large', code: `functions.archive_${what}`, message });
}

/** A name for error messages: bounded, with everything that could confuse a terminal or a reader escaped. */
export function shown(path: string): string {
  const escaped = JSON.stringify(path).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped.length <= 120 ? escaped : `${escaped.slice(0, 117)}…"`;
}

const FILE_TYPE_MASK = 0o170000;
const REGULAR_FILE = 0o100000;
const DIRECTORY = 0o040000;
const WINDOWS_REPARSE_POINT = 0x400;
const STORED = 0;
const DEFLATED = 8;

/** Checks name, type, encryption and compression of one entry; the archive's own claims are never trusted. */
export function checkEntry(entry: Entry): CheckedEntry {
  const name = decodeName(entry.fileNameRaw);
  const directory = name.endsWith('/');
  const path = directory ? name.slice(0, -1) : name;
  checkPath(path, name);
  if (entry.isEncrypted()) {
    throw archiveError('encrypted', `${shown(name)} is encrypted. Make the archive without a password.`);
  }
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    throw archiveError(
      'compression_unsupported',
      `${shown(name)} uses compression method ${entry.compressionMethod}. Use Deflate or store it uncompressed.`,
    );
  }
  const mode = entry.externalFileAttributes >>> 16;
  checkType(entry, mode, { name, directory });
  return { entry, path, directory, executable: !directory && (mode & 0o111) !== 0 };
}

function decodeName(raw: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch (error) {
    throw archiveError(
      'bad_name',
      'A file name in the archive is not UTF-8. Rename it, then zip again.',
      error,
    );
  }
}

function checkPath(path: string, name: string): void {
  const parts = path.split('/');
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) {
    throw archiveError(
      'bad_name',
      `${shown(name)} contains control, zero-width or text-direction characters. Rename it, then zip again.`,
    );
  }
  if (name.includes('\\') || name.startsWith('/') || /^[A-Za-z]:/.test(name) || parts.includes('..')) {
    throw archiveError(
      'unsafe_path',
      `${shown(name)} leads out of the archive's own folder. Use relative paths with forward slashes only.`,
    );
  }
  if (parts.includes('') || parts.includes('.')) {
    throw archiveError(
      'bad_name',
      `${shown(name)} has an empty or "." path segment. Zip the folder itself again.`,
    );
  }
  if (Buffer.byteLength(path) > ARCHIVE_LIMITS.pathBytesMax) {
    throw archiveError(
      'bad_name',
      `${shown(name)} is longer than ${ARCHIVE_LIMITS.pathBytesMax} bytes. Shorten its path.`,
    );
  }
  if (parts.length > ARCHIVE_LIMITS.depthMax) {
    throw archiveError('bad_name', `${shown(name)} lies more than ${ARCHIVE_LIMITS.depthMax} folders deep.`);
  }
}

function checkType(
  entry: Entry,
  mode: number,
  { name, directory }: { name: string; directory: boolean },
): void {
  const type = mode & FILE_TYPE_MASK;
  const expected = directory ? DIRECTORY : REGULAR_FILE;
  const reparsePoint = (entry.externalFileAttributes & WINDOWS_REPARSE_POINT) !== 0;
  if ((type !== 0 && type !== expected) || reparsePoint) {
    throw archiveError(
      'special_file',
      `${shown(name)} is a link or a special file. Put plain files into the archive only.`,
    );
  }
  if (directory && entry.uncompressedSize !== 0) {
    throw archiveError('malformed', `${shown(name)} is a folder that claims to hold data.`);
  }
}
