import { Parser } from 'htmlparser2';
import { Failure } from './failure.mjs';
import { createOutline } from './outline.mjs';

const BLOCKS = new Set(
  (
    'address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer ' +
    'form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p pre search section summary table tbody td ' +
    'tfoot th thead tr ul'
  ).split(' '),
);
/** Nothing of these is seen on the page, or not as its text. */
const SKIPPED = new Set(
  (
    'area audio base canvas datalist embed frameset iframe link map meta noembed noframes noscript object optgroup ' +
    'option param script select style svg template textarea title track video'
  ).split(' '),
);
/** Inside a table these show that it only lays out a page. */
const NOT_IN_CELLS = new Set('article aside footer h1 h2 h3 h4 h5 h6 header main nav section table'.split(' '));
const HIDING_STYLE = /(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)/i;
const PARAGRAPH = { kind: 'paragraph' };
const LIST_ITEM = { kind: 'paragraph', bullet: '- ' };
const DEPTH_MAX = 5000;
const PORTION = 65_536;

/**
 * The visible text of a page: no tree is built, so that neither depth nor size of it costs more than its bytes.
 * @param {string} html
 * @param {{ charactersMax: number }} limits
 */
export function readHtml(html, { charactersMax }) {
  const outline = createOutline(charactersMax);
  let depth = 0;
  let hiddenBelow = Infinity;
  let preformatted = 0;
  /** The one that is being read; `bullet` stands before its text. */
  let block = PARAGRAPH;
  let text = '';
  /** Inside a row cells follow each other in one block. */
  let inRow = false;

  function endBlock(next = PARAGRAPH) {
    const isBlank = text.trim() === '';
    if (!isBlank) outline.add({ ...block, text: `${block.bullet ?? ''}${text.trimStart()}` });
    // A paragraph that opens a list item takes over its bullet.
    block = isBlank && next === PARAGRAPH ? { ...next, bullet: block.bullet } : next;
    text = '';
  }

  function open(name) {
    if (name === 'pre') preformatted++;
    if (name === 'br') text += '\n';
    if (name === 'tr') {
      endBlock({ kind: 'row' });
      inRow = true;
      return;
    }
    if (inRow && (name === 'td' || name === 'th') && text.trim() !== '') text = `${text.trimEnd()} | `;
    if (!BLOCKS.has(name)) return;
    if (inRow && !NOT_IN_CELLS.has(name)) return void (text = spaced(text));
    inRow = false;
    const level = /^h([1-6])$/.exec(name)?.[1];
    if (level !== undefined) endBlock({ kind: 'heading', level: Number(level) });
    else endBlock(name === 'li' ? LIST_ITEM : PARAGRAPH);
  }

  function close(name) {
    if (name === 'pre') preformatted--;
    if (!BLOCKS.has(name)) return;
    if (inRow && name !== 'tr') return void (text = spaced(text));
    inRow = false;
    endBlock();
    if (name === 'li') block = PARAGRAPH;
  }

  const parser = new Parser({
    onopentag(name, attributes) {
      if (++depth > DEPTH_MAX) throw new Failure('too_complex');
      if (depth > hiddenBelow) return;
      if (isHidden(name, attributes)) hiddenBelow = depth;
      else open(name);
    },
    onclosetag(name) {
      depth--;
      if (depth >= hiddenBelow) return;
      if (depth === hiddenBelow - 1) hiddenBelow = Infinity;
      else close(name);
    },
    ontext(data) {
      if (depth >= hiddenBelow) return;
      text += preformatted > 0 && !inRow ? data : collapsed(text, data);
      if (text.length > outline.charactersLeft()) throw new Failure('expands_too_much');
    },
  });
  for (let from = 0; from < html.length; from += PORTION) parser.write(html.slice(from, from + PORTION));
  parser.end();
  endBlock();
  return outline.extracted();
}

function isHidden(name, attributes) {
  return SKIPPED.has(name) || 'hidden' in attributes || HIDING_STYLE.test(attributes.style ?? '');
}

/** Runs of space count once, also over the borders of elements. */
function collapsed(before, data) {
  const once = data.replace(/[ \t\r\n\f]+/g, ' ');
  return once.startsWith(' ') && /(^|\s)$/.test(before.slice(-1)) ? once.slice(1) : once;
}

const spaced = (text) => (text === '' || /\s$/.test(text) ? text : `${text} `);
