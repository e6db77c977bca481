// Cuts extracted text into passages. Pure: positions in, positions out, so that a passage is always exactly a slice.

/**
 * What a document's reader makes of it.
 * @typedef {object} Extracted
 * @property {string} text
 * @property {readonly Block[]} blocks in order, not overlapping; what lies between them is space or markup
 *
 * @typedef {object} Block
 * @property {'heading' | 'paragraph' | 'row'} kind
 * @property {number} start UTF-16 code units into the text
 * @property {number} end
 * @property {number | null} page from 1; passages never reach over the end of a page
 * @property {number} [level] of a heading, 1 is the outermost
 * @property {string} [title] of a heading: its text without markup, never empty
 *
 * @typedef {{ start: number, end: number, page: number | null, headings: string[] }} Span
 * @typedef {{ start: number, end: number, tokens: number, kind: 'heading' | 'sentence' | 'row', opens: boolean }} Unit
 */

/**
 * All headings of a passage together. A passage of 220 tokens, its headings, and the two tokens that mark beginning and
 * end fit into the 256 that small embedding models read.
 */
const HEADINGS_TOKENS_MAX = 32;
/** A passage rather ends with a paragraph than in the middle of one, if that leaves it at least half full. */
const FULL_ENOUGH = 0.5;

/**
 * How many WordPiece tokens a text has in a vocabulary that was made for English, rather too many than too few: a short
 * word is one, a longer one has one for every three letters, an accent costs half of one, digits go in pairs, Korean
 * syllables fall into two pieces, strings without words (keys, base64) into pieces of a letter or two, and every other
 * character (punctuation, Chinese, Cyrillic, …) counts by itself.
 * @param {string} text
 */
export function estimateTokens(text) {
  let tokens = 0;
  const run = { letters: 0, accents: 0, digits: 0 };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isAsciiLetter(code)) run.letters++;
    else if (code >= 48 && code <= 57) run.digits++;
    else if (code >= 0xc0 && code <= 0x24f) run.accents++;
    else tokens += endRun(run) + tokensOfCharacter(code);
  }
  return tokens + endRun(run);
}

const SHORT_WORD = 4;
const LETTERS_PER_TOKEN = 3.2;
/** No word of a language that is written with spaces is longer, but for a few compounds. */
const LONGEST_WORD = 24;
const LETTERS_PER_TOKEN_WITHOUT_WORDS = 1.5;
const TOKENS_PER_SPACE = 1 / 32;

function endRun(run) {
  const { accents, digits } = run;
  const letters = run.letters + accents;
  if (letters + digits === 0) return 0;
  run.letters = run.accents = run.digits = 0;
  if (letters + digits > LONGEST_WORD) return Math.ceil((letters + digits) / LETTERS_PER_TOKEN_WITHOUT_WORDS);
  const word = letters <= SHORT_WORD ? Math.min(letters, 1) : letters / LETTERS_PER_TOKEN;
  return Math.ceil(word + accents / 2) + Math.ceil(digits / 2);
}

function isAsciiLetter(code) {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

function tokensOfCharacter(code) {
  // No token, but it must not make a passage longer without end.
  if (code <= 32 || code === 0xa0) return TOKENS_PER_SPACE;
  return code >= 0xac00 && code <= 0xd7a3 ? 2 : 1;
}

/**
 * Passages in order. A passage holds whole sentences and whole rows, never more than `tokensMax` by estimate, and shares
 * whole sentences of up to `tokensOverlap` (at most half of `tokensMax`) with the one before it. A heading begins a new
 * passage and is part of it; the passages after it have it among their headings.
 * @param {Extracted} document
 * @param {{ tokensMax: number, tokensOverlap: number }} chunking
 * @returns {Generator<Span>}
 */
export function* chunk({ text, blocks }, chunking) {
  for (const { headings, page, members } of sectionsOf(blocks)) {
    const above = boundedHeadings(headings.slice(0, -1));
    const within = boundedHeadings(headings);
    for (const units of pack(unitsOf(text, members, chunking.tokensMax), chunking)) {
      const [first] = units;
      const ownHeading = members[0].kind === 'heading' && first.start === members[0].start;
      yield { start: first.start, end: units.at(-1).end, page, headings: ownHeading ? above : within };
    }
  }
}

/**
 * What stands under one heading on one page. A heading with nothing below it but deeper ones is only in their paths.
 * @param {readonly Block[]} blocks
 */
function* sectionsOf(blocks) {
  let path = [];
  let section;
  const isSpoken = (next) => section.members.some(({ kind }) => kind !== 'heading') || !leadsTo(section, next);
  for (const block of blocks) {
    if (section !== undefined && (block.kind === 'heading' || block.page !== section.page)) {
      if (isSpoken(block)) yield section;
      section = undefined;
    }
    if (block.kind === 'heading') path = [...path.filter(({ level }) => level < block.level), block];
    section ??= { headings: path.map(({ title }) => title), page: block.page, members: [] };
    section.members.push(block);
  }
  if (section !== undefined) yield section;
}

function leadsTo({ members: [heading] }, next) {
  return next.kind !== 'heading' || next.level > heading.level;
}

/** Nearest first, as far as the tokens reach; the one that does not fit any more is cut. */
function boundedHeadings(headings) {
  const kept = [];
  let left = HEADINGS_TOKENS_MAX;
  for (const heading of headings.toReversed()) {
    if (left < 2) break;
    // One token for what separates it from the next.
    const [head] = pieces(heading, { start: 0, end: heading.length }, left - 1);
    const title = heading.slice(head.start, head.end);
    kept.unshift(title);
    left -= estimateTokens(title) + 1;
  }
  return kept;
}

/**
 * The smallest parts that stay whole: headings, rows and sentences; parts of them only where one alone is too long.
 * @returns {Generator<Unit>}
 */
function* unitsOf(text, members, tokensMax) {
  let before = members[0].start;
  for (const { kind, start, end } of members) {
    const whole = kind === 'paragraph' ? sentences(text, { start, end }) : [{ start, end }];
    let opens = true;
    for (const span of fitting(text, whole, tokensMax)) {
      // Markup between two units belongs to the passage that holds both. The rest of a word that was cut fills one alone.
      const tokens = CUT_WORD.test(text.slice(span.start - 1, span.start + 1))
        ? tokensMax
        : estimateTokens(text.slice(before, span.end));
      yield { ...span, tokens, kind: kind === 'paragraph' ? 'sentence' : kind, opens };
      before = span.end;
      opens = false;
    }
  }
}

const CUT_WORD = /^[\da-z\u00c0-\u024f]{2}$/i;

function* fitting(text, spans, tokensMax) {
  for (const span of spans) {
    if (estimateTokens(text.slice(span.start, span.end)) <= tokensMax) yield span;
    else for (const line of lines(text, span)) yield* pieces(text, line, tokensMax);
  }
}

const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });

/** A line break within a paragraph ends no sentence. */
function* sentences(text, paragraph) {
  for (const { start, end } of windows(text, paragraph)) {
    const unbroken = text.slice(start, end).replace(/[\r\n]/g, ' ');
    for (const { segment, index } of SENTENCES.segment(unbroken)) {
      const from = start + index + (segment.length - segment.trimStart().length);
      const to = start + index + segment.trimEnd().length;
      if (to > from) yield { start: from, end: to };
    }
  }
}

/** A paragraph without end, such as a log, is taken in parts, so that it costs no more memory than one of them. */
function* windows(text, { start, end }) {
  while (end - start > WINDOW) {
    let cut = start + WINDOW;
    while (cut > start + WINDOW / 2 && !/\s/.test(text[cut])) cut--;
    if (/[\udc00-\udfff]/.test(text[cut])) cut--;
    yield { start, end: cut };
    start = cut;
  }
  yield { start, end };
}

const WINDOW = 65_536;

function* lines(text, { start, end }) {
  for (const { index, 0: line } of text.slice(start, end).matchAll(/\S[^\r\n]*/g)) {
    yield { start: start + index, end: start + index + line.trimEnd().length };
  }
}

/** Cuts at spaces, and within words that are too long by themselves. */
function* pieces(text, { start, end }, tokensMax) {
  // By code points, so that no emoji is torn; none counts for more than two tokens.
  const words = new RegExp(`\\S{1,${Math.max(Math.floor(tokensMax / 2), 1)}}`, 'gu');
  let piece;
  for (const match of text.slice(start, end).matchAll(words)) {
    const word = { start: start + match.index, end: start + match.index + match[0].length };
    if (piece !== undefined && estimateTokens(text.slice(piece.start, word.end)) > tokensMax) {
      yield piece;
      piece = undefined;
    }
    piece = { start: piece?.start ?? word.start, end: word.end };
  }
  if (piece !== undefined) yield piece;
}

/**
 * @param {Iterable<Unit>} units
 * @returns {Generator<Unit[]>}
 */
function* pack(units, { tokensMax, tokensOverlap }) {
  const overlapMax = Math.min(tokensOverlap, tokensMax / 2);
  let passage = [];
  let tokens = 0;
  for (const unit of units) {
    if (passage.length > 0 && tokens + unit.tokens > tokensMax) {
      const cut = cutOf(passage, unit, tokensMax);
      const done = passage.slice(0, cut);
      yield done;
      const rest = passage.slice(cut);
      passage = [...tail(done, Math.min(overlapMax, tokensMax - sum(rest) - unit.tokens)), ...rest];
      tokens = sum(passage);
    }
    passage.push(unit);
    tokens += unit.tokens;
  }
  if (passage.length > 0) yield passage;
}

/** Where the last paragraph of the passage begins, if what is left of it may go to the next; else its end. */
function cutOf(passage, next, tokensMax) {
  if (next.opens) return passage.length;
  const cut = passage.findLastIndex(({ opens }) => opens);
  const isFullEnough = sum(passage.slice(0, Math.max(cut, 0))) >= tokensMax * FULL_ENOUGH;
  return isFullEnough && sum(passage.slice(cut)) + next.tokens <= tokensMax ? cut : passage.length;
}

/** The last whole sentences within the budget. */
function tail(units, tokensMax) {
  let left = tokensMax;
  let from = units.length;
  while (from > 1 && units[from - 1].kind === 'sentence' && units[from - 1].tokens <= left) {
    left -= units[--from].tokens;
  }
  return units.slice(from);
}

const sum = (units) => units.reduce((total, { tokens }) => total + tokens, 0);
