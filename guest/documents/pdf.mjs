import { fileURLToPath } from 'node:url';
import { Failure } from './failure.mjs';
import { createOutline } from './outline.mjs';

const PACKAGE = fileURLToPath(new URL('node_modules/pdfjs-dist/', import.meta.url));

/** Nothing is drawn, so the classes for drawing, which pdf.js wants to be there, can be empty. */
for (const name of ['DOMMatrix', 'ImageData', 'Path2D']) globalThis[name] ??= class {};
// The parser runs in this thread: the process is there for it alone.
globalThis.pdfjsWorker = await import('pdfjs-dist/legacy/build/pdf.worker.mjs');
const { getDocument, VerbosityLevel } = await import('pdfjs-dist/legacy/build/pdf.mjs');

/**
 * @param {Buffer} bytes
 * @param {{ charactersMax: number, pagesMax: number }} limits
 * @param {(pagesDone: number, pages: number) => void} onProgress
 */
export async function readPdf(bytes, limits, onProgress) {
  const document = await open(bytes);
  const { numPages } = document;
  if (numPages > limits.pagesMax) throw new Failure('too_many_pages');
  onProgress(0, numPages);
  const pages = [];
  let left = limits.charactersMax;
  for (let number = 1; number <= numPages; number++) {
    const page = await document.getPage(number).catch(damaged);
    const { lines, characters } = await linesOf(page, left);
    left -= characters;
    pages.push(lines);
    page.cleanup();
    onProgress(number, numPages);
  }
  return outlined(pages, limits.charactersMax);
}

function open(bytes) {
  return getDocument({
    data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    verbosity: VerbosityLevel.ERRORS,
    isEvalSupported: false,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWorkerFetch: false,
    useWasm: false,
    isImageDecoderSupported: false,
    isOffscreenCanvasSupported: false,
    maxImageSize: 0,
    // Tables that tell which characters older Chinese, Japanese and Korean fonts mean.
    cMapUrl: `${PACKAGE}cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${PACKAGE}standard_fonts/`,
  }).promise.catch((error) => {
    throw new Failure(error?.name === 'PasswordException' ? 'encrypted' : 'damaged');
  });
}

function damaged() {
  throw new Failure('damaged');
}

/**
 * @typedef {{ text: string, size: number, top: number, left: number }} Line sizes and places in points; top grows upwards
 */

async function linesOf(page, charactersMax) {
  const lines = [];
  let line;
  let characters = 0;
  for await (const { items } of page.streamTextContent()) {
    for (const { str, transform, height, hasEOL } of items) {
      if (str === undefined) continue;
      characters += str.length;
      if (characters > charactersMax) throw new Failure('expands_too_much');
      line ??= { text: '', size: 0, top: transform[5], left: transform[4] };
      line.text += str;
      if (str.trim() !== '') line.size = Math.max(line.size, Math.round(height * 2) / 2);
      if (!hasEOL) continue;
      if (line.text.trim() !== '') lines.push(line);
      line = undefined;
    }
  }
  if (line !== undefined && line.text.trim() !== '') lines.push(line);
  return { lines, characters };
}

/** How much larger than most of the text a line has to be, and how short, to be a heading. */
const HEADING_SCALE = 1.15;
const HEADING_CHARACTERS_MAX = 200;
const HEADING_LEVELS = 6;
/** Distance between two lines of a paragraph, in sizes of their letters. */
const LINE_HEIGHT_MAX = 1.7;
const BULLET = /^\s*([•‣◦▪●–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s/;

function outlined(pages, charactersMax) {
  const outline = createOutline(charactersMax);
  const { body, headings } = sizesOf(pages.flat());
  for (const [index, lines] of pages.entries()) {
    for (const paragraph of paragraphsOf(lines)) {
      const text = joined(paragraph);
      const level = headings.indexOf(paragraph[0].size) + 1;
      const isHeading = level > 0 && text.length <= HEADING_CHARACTERS_MAX && /\p{L}/u.test(text);
      const heading = isHeading ? { kind: 'heading', level: Math.min(level, HEADING_LEVELS) } : { kind: 'paragraph' };
      outline.add({ ...heading, text, page: index + 1 });
    }
  }
  return outline.extracted();
}

/** Sizes that are clearly larger than the one most characters have, largest first. */
function sizesOf(lines) {
  const characters = new Map();
  for (const { size, text } of lines) characters.set(size, (characters.get(size) ?? 0) + text.length);
  const sizes = [...characters.keys()];
  const body = sizes.reduce((most, size) => ((characters.get(size) ?? 0) > (characters.get(most) ?? 0) ? size : most), 0);
  return { body, headings: sizes.filter((size) => size >= body * HEADING_SCALE).sort((a, b) => b - a) };
}

/** @param {Line[]} lines */
function* paragraphsOf(lines) {
  let paragraph = [];
  for (const line of lines) {
    const last = paragraph.at(-1);
    if (last !== undefined && begins(line, last)) {
      yield paragraph;
      paragraph = [];
    }
    paragraph.push(line);
  }
  if (paragraph.length > 0) yield paragraph;
}

function begins(line, last) {
  const distance = last.top - line.top;
  const size = Math.max(line.size, last.size);
  // A negative distance is the next column, which may go on in the middle of a sentence.
  return line.size !== last.size || distance > size * LINE_HEIGHT_MAX || BULLET.test(line.text);
}

/** One line after the other, words that were hyphenated at the end of a line in one piece again. */
function joined(lines) {
  let text = '';
  for (const line of lines) {
    const next = line.text.trim();
    if (/\p{L}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(next)) text = text.slice(0, -1) + next;
    else if (text === '' || (UNSPACED.test(text.slice(-1)) && UNSPACED.test(next[0]))) text += next;
    else text += ` ${next}`;
  }
  return text;
}

/** Scripts that have no space between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}]/u;
