import { Failure } from './failure.mjs';

/** Between blocks, so that the extracted text reads like one. */
const BREAK = '\n\n';

/**
 * Collects the text of a format that has none of its own, block by block.
 * @param {number} charactersMax more is `expands_too_much`
 */
export function createOutline(charactersMax) {
  const parts = [];
  /** @type {import('./chunking.mjs').Block[]} */
  const blocks = [];
  let length = 0;

  return {
    /** How much more text there may be. */
    charactersLeft: () => charactersMax - length,
    /**
     * Space around the text is dropped, and so is a block of nothing but space.
     * @param {{ kind: 'heading' | 'paragraph' | 'row', text: string, page?: number, level?: number }} block
     */
    add({ kind, text, page, level }) {
      const clean = text.replace(CONTROL, '').toWellFormed().trim();
      if (clean === '') return;
      const gap = separator(blocks.at(-1)?.kind, kind);
      const start = length + gap.length;
      length = start + clean.length;
      if (length > charactersMax) throw new Failure('expands_too_much');
      parts.push(gap, clean);
      const heading = kind === 'heading' && { level, title: clean.replace(/\s+/g, ' ') };
      blocks.push({ kind, start, end: length, page: page ?? null, ...heading });
    },
    /** @returns {import('./chunking.mjs').Extracted} */
    extracted: () => ({ text: parts.join(''), blocks }),
  };
}

const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/g;

function separator(before, kind) {
  if (before === undefined) return '';
  return before === 'row' && kind === 'row' ? '\n' : BREAK;
}
