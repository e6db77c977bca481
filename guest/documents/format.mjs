// Tells what a document is, and turns bytes into text.
import { isUtf8 } from 'node:buffer';
import { Failure } from './failure.mjs';

const BY_EXTENSION = {
  '.pdf': 'pdf',
  '.docx': 'docx',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'text',
};
const BY_MEDIA_TYPE = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/markdown': 'markdown',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
};
/** Readers of PDF look that far for the header, too. */
const PDF_HEADER_WITHIN = 1024;

/**
 * The first bytes decide where they can; then the file ending, then the media type. Whatever else reads as text is text.
 * @param {Buffer} bytes
 * @param {{ mediaType?: string, extension?: string }} hints
 * @returns {'pdf' | 'docx' | 'html' | 'markdown' | 'csv' | 'text'}
 */
export function formatOf(bytes, { mediaType, extension }) {
  if (bytes.length === 0) throw new Failure('empty');
  const declared = BY_EXTENSION[extension] ?? BY_MEDIA_TYPE[mediaType?.split(';')[0].trim().toLowerCase()];
  const head = bytes.subarray(0, PDF_HEADER_WITHIN).toString('latin1');
  if (head.startsWith('%PDF-') || (declared === 'pdf' && head.includes('%PDF-'))) return 'pdf';
  if (/^PK(\x03\x04|\x05\x06)/.test(head)) return 'docx';
  if (head.startsWith('\xd0\xcf\x11\xe0')) {
    // A compound file: an old Word document, or a new one behind a password.
    throw new Failure(bytes.includes(ENCRYPTED_PACKAGE) ? 'encrypted' : 'unsupported');
  }
  if (head.startsWith('{\\rtf')) throw new Failure('unsupported');
  if (/^(\xef\xbb\xbf)?\s*<(!doctype html|html)[\s>]/i.test(head)) return 'html';
  if (declared === 'pdf' || declared === 'docx') throw new Failure('damaged');
  return declared ?? 'text';
}

const ENCRYPTED_PACKAGE = Buffer.from('EncryptedPackage', 'utf16le');

/**
 * UTF-8, UTF-16 by its mark or by its zeros, else Windows' Latin 1; the byte order mark is not part of the text.
 * @param {Buffer} bytes
 */
export function decode(bytes) {
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes);
  if (BINARY.test(text.slice(0, SAMPLE))) throw new Failure('unsupported');
  if (text.trim() === '') throw new Failure('empty');
  return text;
}

/** Control characters that no text has. */
const BINARY = /[\0-\x08\x0e-\x1a\x1c-\x1f\ufffe\uffff]/;
const SAMPLE = 65_536;

function encodingOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const [even, odd] = shareOfZeros(bytes.subarray(0, SAMPLE));
  if (odd > 0.3 && even < 0.05) return 'utf-16le';
  if (even > 0.3 && odd < 0.05) return 'utf-16be';
  return isUtf8(bytes) ? 'utf-8' : 'windows-1252';
}

/** Of the bytes at even and at odd places: text in UTF-16 has nearly all of its zeros at one of the two. */
function shareOfZeros(sample) {
  const zeros = [0, 0];
  for (const [index, byte] of sample.entries()) if (byte === 0) zeros[index % 2]++;
  return zeros.map((count) => (count * 2) / sample.length);
}
