// Formats whose text is the file itself: only where its parts begin and end is told.
import MarkdownIt from 'markdown-it';
import Papa from 'papaparse';

/**
 * @typedef {import('./chunking.mjs').Extracted} Extracted
 * @typedef {import('./chunking.mjs').Block} Block
 */

/**
 * Blank lines part paragraphs.
 * @param {string} text
 * @returns {Extracted}
 */
export function readText(text) {
  return { text, blocks: [...paragraphs(text, 0, text.length)] };
}

function* paragraphs(text, start, end) {
  let paragraph;
  for (const { index, 0: line } of text.slice(start, end).matchAll(LINE)) {
    const seen = trimmed(text, start + index, start + index + line.length);
    if (seen !== undefined) paragraph = { start: paragraph?.start ?? seen.start, end: seen.end };
    else if (paragraph !== undefined) {
      yield { ...paragraph, kind: 'paragraph', page: null };
      paragraph = undefined;
    }
  }
  if (paragraph !== undefined) yield { ...paragraph, kind: 'paragraph', page: null };
}

const LINE = /[^\r\n]*(?:\r\n|\r|\n|$)/g;

/**
 * The first row names the columns: it counts as a heading of all others.
 * @param {string} text
 * @returns {Extracted}
 */
export function readCsv(text) {
  /** @type {Block[]} */
  const blocks = [];
  let from = 0;
  Papa.parse(text, {
    step({ data, meta }) {
      const row = trimmed(text, from, meta.cursor);
      from = meta.cursor;
      if (row === undefined) return;
      const columns = data.map((name) => name.trim()).filter((name) => name !== '');
      const isHeader = blocks.length === 0 && columns.length > 0;
      blocks.push({ ...row, page: null, ...(isHeader ? { kind: 'heading', level: 1, title: columns.join(', ') } : { kind: 'row' }) });
    },
  });
  return { text, blocks };
}

/** Without the space around it; undefined if there is nothing else. */
function trimmed(text, start, end) {
  const line = text.slice(start, end);
  const from = start + (line.length - line.trimStart().length);
  const to = start + line.trimEnd().length;
  return to > from ? { start: from, end: to } : undefined;
}

const markdown = new MarkdownIt('default', { html: true }).disable(['inline', 'linkify', 'replacements', 'smartquotes']);
const FRONT_MATTER = /^---[^\S\r\n]*(?:\r\n|\r|\n)(?:(?!---)[^\r\n]*(?:\r\n|\r|\n))*---[^\S\r\n]*(?:\r\n|\r|\n|$)/;
const LEAVES = new Map([
  ['paragraph_open', 'paragraph'],
  ['heading_open', 'heading'],
  ['fence', 'paragraph'],
  ['code_block', 'paragraph'],
  ['html_block', 'paragraph'],
  ['tr_open', 'row'],
]);

/**
 * Whole lines, so that bullets, quotes and fences stay where they belong.
 * @param {string} text
 * @returns {Extracted}
 */
export function readMarkdown(text) {
  const bodyStart = FRONT_MATTER.exec(text)?.[0].length ?? 0;
  const body = text.slice(bodyStart);
  const lines = lineStarts(body);
  /** @type {Block[]} */
  const blocks = [];
  let reached = 0;
  const tokens = markdown.parse(body, {});
  for (const [index, { type, map, tag }] of tokens.entries()) {
    const kind = LEAVES.get(type);
    if (kind === undefined || map === null) continue;
    const span = trimmed(text, bodyStart + lines[map[0]], bodyStart + lines[map[1]]);
    if (span === undefined) continue;
    blocks.push(...leftOut(text, reached, span.start));
    reached = span.end;
    const title = kind === 'heading' ? plainInline(tokens[index + 1].content) : '';
    if (title === '') blocks.push({ ...span, kind: kind === 'row' ? kind : 'paragraph', page: null });
    else blocks.push({ ...span, kind, page: null, level: Number(tag.slice(1)), title });
  }
  return { text, blocks: [...blocks, ...leftOut(text, reached, text.length)] };
}

/** What the parser makes nothing of, such as front matter, definitions of links and what is nested too deeply. */
function* leftOut(text, start, end) {
  if (/\p{L}/u.test(text.slice(start, end))) yield* paragraphs(text, start, end);
}

/** Where each line begins, and the end; lines end as the parser has them. */
function lineStarts(text) {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + end.length);
  return [...starts, text.length, text.length];
}

function plainInline(content) {
  const tokens = [];
  markdown.inline.parse(content, markdown, {}, tokens);
  return tokens.map((token) => (token.children ? token.children.map((child) => child.content).join('') : token.content)).join('').trim();
}
