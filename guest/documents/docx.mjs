import { Parser } from 'htmlparser2';
import { fromBufferPromise } from 'yauzl';
import { Failure } from './failure.mjs';
import { createOutline } from './outline.mjs';

const ENTRIES_MAX = 10_000;
const DEPTH_MAX = 5000;
const BASED_ON_MAX = 20;
const MAIN_PART = 'word/document.xml';
/** Deleted and moved text, and the second form of what stands there already. */
const SKIPPED = new Set(['w:del', 'w:moveFrom', 'mc:Fallback']);
const LITERALS = { 'w:tab': '\t', 'w:ptab': '\t', 'w:br': '\n', 'w:cr': '\n', 'w:noBreakHyphen': '-' };

/**
 * Reads the parts of an Office Open XML text that hold words, each as a stream of tags: no tree of them is built, no
 * entity of their own is expanded, and nothing else of the archive is unpacked.
 * @param {Buffer} bytes
 * @param {{ charactersMax: number, expandedBytesMax: number }} limits
 */
export async function readDocx(bytes, limits) {
  const parts = await openParts(bytes, limits.expandedBytesMax);
  const main = await mainPart(parts);
  if (!parts.has(main)) throw new Failure('unsupported');
  const beside = (name) => main.replace(/[^/]*$/, name);
  const levels = await headingLevels(parts, beside('styles.xml'));
  const notes = new Map();
  for (const kind of ['footnote', 'endnote']) await readNotes(parts, beside(`${kind}s.xml`), kind, notes);

  const outline = createOutline(limits.charactersMax);
  const body = createBody({
    onBlock: (block) => outline.add(block),
    levelOf: (style) => levels.get(style),
    noteOf: (name) => notes.get(name),
    charactersLeft: () => outline.charactersLeft(),
  });
  await parts.read(main, body);
  return outline.extracted();
}

/** The files of the archive; all that is unpacked counts against one bound, whatever their sizes are said to be. */
async function openParts(bytes, expandedBytesMax) {
  const zip = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false }).catch(damaged);
  if (zip.entryCount > ENTRIES_MAX) throw new Failure('too_complex');
  const entries = new Map();
  try {
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
  } catch {
    damaged();
  }
  let left = expandedBytesMax;

  return {
    has: (name) => entries.has(name),
    /** Tells `handler` the tags and texts of a part; there may be no such part. */
    async read(name, handler) {
      const entry = entries.get(name);
      if (entry === undefined) return;
      if (entry.isEncrypted()) throw new Failure('encrypted');
      const parser = xmlParser(handler);
      const decoder = new TextDecoder();
      const stream = await zip.openReadStreamPromise(entry).catch(damaged);
      try {
        for await (const chunk of stream) {
          left -= chunk.length;
          if (left < 0) throw new Failure('expands_too_much');
          parser.write(decoder.decode(chunk, { stream: true }));
        }
      } catch (error) {
        throw error instanceof Failure ? error : new Failure('damaged');
      }
      parser.end();
    },
  };
}

function damaged() {
  throw new Failure('damaged');
}

function xmlParser({ open, close = () => {}, text = () => {} }) {
  let depth = 0;
  return new Parser(
    {
      onopentag(name, attributes) {
        if (++depth > DEPTH_MAX) throw new Failure('too_complex');
        open(name, attributes);
      },
      onclosetag(name) {
        depth--;
        close(name);
      },
      ontext: text,
    },
    { xmlMode: true },
  );
}

async function mainPart(parts) {
  let target = MAIN_PART;
  await parts.read('_rels/.rels', {
    open(name, { Type: type = '', Target: path = '' }) {
      if (name === 'Relationship' && type.endsWith('/officeDocument')) target = path.replace(/^\//, '');
    },
  });
  return /(^|\/)word\//.test(target) ? target : MAIN_PART;
}

/** Style → level, by the built-in names, which are English in every language, or by the outline level. */
async function headingLevels(parts, part) {
  const styles = new Map();
  let style;
  await parts.read(part, {
    open(name, { 'w:styleId': id, 'w:val': value = '' }) {
      if (name === 'w:style') styles.set(id, (style = {}));
      if (style === undefined) return;
      if (name === 'w:name') style.level = namedLevel(value);
      if (name === 'w:basedOn') style.basedOn = value;
      if (name === 'w:outlineLvl') style.level ??= outlineLevel(value);
    },
  });
  function levelOf(id, depth = 0) {
    const { level, basedOn } = styles.get(id) ?? {};
    return level ?? (basedOn === undefined || depth > BASED_ON_MAX ? undefined : levelOf(basedOn, depth + 1));
  }
  return new Map([...styles.keys()].map((id) => [id, levelOf(id)]));
}

function namedLevel(name) {
  if (/^title$/i.test(name)) return 1;
  const level = /^heading ([1-9])$/i.exec(name)?.[1];
  return level === undefined ? undefined : Number(level);
}

/** 9 is the level of what is no heading. */
const outlineLevel = (value) => (/^[0-8]$/.test(value) ? Number(value) + 1 : undefined);

async function readNotes(parts, part, kind, notes) {
  let note;
  const body = createBody({ onBlock: ({ text }) => note?.push(text), levelOf: () => undefined, noteOf: () => undefined });
  await parts.read(part, {
    ...body,
    open(name, attributes) {
      if (name === `w:${kind}`) notes.set(`${kind} ${attributes['w:id']}`, (note = []));
      body.open(name, attributes);
    },
  });
}

/**
 * Paragraphs and rows of WordprocessingML. A paragraph can hold others (in text boxes), a cell whole tables: what is
 * inside a row is part of it.
 */
function createBody({ onBlock, levelOf, noteOf, charactersLeft = () => Infinity }) {
  const paragraphs = [];
  let rows = 0;
  let row = '';
  let skipped = 0;
  let isText = false;
  let isHidden = false;

  function endParagraph() {
    const { text, level, isItem, notes } = paragraphs.pop();
    const blocks = [text, ...notes].filter((part) => part.trim() !== '');
    if (rows > 0) {
      row = [row, ...blocks].filter((part) => part !== '').join(' ');
      return;
    }
    for (const [index, part] of blocks.entries()) {
      const isNote = index > 0 || text.trim() === '';
      if (level !== undefined && !isNote) onBlock({ kind: 'heading', level, text: part });
      else onBlock({ kind: 'paragraph', text: isItem && !isNote ? `- ${part.trimStart()}` : part });
    }
  }

  function open(name, attributes) {
    if (skipped > 0 || SKIPPED.has(name)) return void skipped++;
    const paragraph = paragraphs.at(-1);
    const value = attributes['w:val'] ?? '';
    isText = name === 'w:t';
    if (name in LITERALS && paragraph !== undefined && !isHidden) paragraph.text += LITERALS[name];
    switch (name) {
      case 'w:p':
        paragraphs.push({ text: '', level: undefined, isItem: false, notes: [] });
        break;
      case 'w:pStyle':
        if (paragraph !== undefined) paragraph.level ??= levelOf(value);
        break;
      case 'w:outlineLvl':
        if (paragraph !== undefined) paragraph.level = outlineLevel(value);
        break;
      case 'w:numPr':
        if (paragraph !== undefined) paragraph.isItem = true;
        break;
      case 'w:r':
        isHidden = false;
        break;
      case 'w:vanish':
        isHidden = !/^(0|false|off)$/.test(value);
        break;
      case 'w:footnoteReference':
      case 'w:endnoteReference':
        paragraph?.notes.push(...(noteOf(`${name.slice(2, -9)} ${attributes['w:id']}`) ?? []));
        break;
      case 'w:tr':
        rows++;
        break;
      case 'w:tc':
        if (row !== '') row += ' |';
        break;
    }
  }

  function close(name) {
    if (skipped > 0) return void skipped--;
    isText = false;
    if (name === 'w:p' && paragraphs.length > 0) endParagraph();
    if (name !== 'w:tr' || --rows > 0) return;
    onBlock({ kind: 'row', text: row });
    row = '';
  }

  function text(data) {
    const paragraph = paragraphs.at(-1);
    if (!isText || isHidden || skipped > 0 || paragraph === undefined) return;
    paragraph.text += data;
    if (paragraph.text.length + row.length > charactersLeft()) throw new Failure('expands_too_much');
  }

  return { open, close, text };
}
