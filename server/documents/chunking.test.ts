import { describe, expect, it } from 'vitest';
import { type Block, chunk, estimateTokens, type Span } from '../../guest/documents/chunking.mjs';
import { CHUNKING, type Chunking } from './document-reader.ts';

type Part =
  | string
  | { readonly row: string }
  | { readonly level: number; readonly title: string }
  | { readonly page: number };

/** Text and blocks of parts, a blank line between two of them. */
function documentOf(parts: readonly Part[]): { text: string; blocks: Block[] } {
  let text = '';
  let page: number | null = null;
  const blocks: Block[] = [];
  for (const part of parts) {
    if (typeof part === 'object' && 'page' in part) {
      ({ page } = part);
      continue;
    }
    if (text !== '') text += '\n\n';
    const start = text.length;
    text += typeof part === 'string' ? part : 'row' in part ? part.row : part.title;
    const place = { start, end: text.length, page };
    if (typeof part === 'string') blocks.push({ ...place, kind: 'paragraph' });
    else if ('row' in part) blocks.push({ ...place, kind: 'row' });
    else blocks.push({ ...place, kind: 'heading', ...part });
  }
  return { text, blocks };
}

function passagesOf(parts: readonly Part[], chunking: Chunking = CHUNKING): (Span & { text: string })[] {
  const document = documentOf(parts);
  return [...chunk(document, chunking)].map((span) => ({
    ...span,
    text: document.text.slice(span.start, span.end),
  }));
}

const words = (count: number, word = 'word'): string => Array.from({ length: count }, () => word).join(' ');
const sentences = (count: number): string =>
  Array.from({ length: count }, (_, index) => `Sentence number ${index} has eight words in it.`).join(' ');

/** A small generator of its own: what fails can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

function randomParts(random: (below: number) => number): Part[] {
  const vocabulary = [
    'a',
    'word',
    'unbelievable',
    '日本語の文。',
    'Größe',
    '👩‍🚀',
    '12345',
    'x'.repeat(90),
    'end.',
    'Ja!',
    '\n',
    '  ',
  ];
  const text = (): string =>
    `w${Array.from({ length: 1 + random(120) }, () => vocabulary[random(vocabulary.length)]).join(random(4) === 0 ? '' : ' ')}w`;
  let page = 0;
  return Array.from({ length: 1 + random(30) }, (): Part => {
    const kind = random(10);
    if (kind < 2)
      return {
        level: 1 + random(4),
        title: text()
          .slice(0, 1 + random(60))
          .toWellFormed()
          .trim(),
      };
    if (kind < 4) return { row: text() };
    return kind === 4 ? { page: ++page } : text();
  });
}

describe('passages', () => {
  it('hold to the budget, lie in order within one page and lose nothing, whatever the document', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomOf(seed);
      const document = documentOf(randomParts(random));
      const chunking = { tokensMax: 20 + random(300), tokensOverlap: random(60) };
      const spans = [...chunk(document, chunking)];
      let reached = 0;
      let last = -1;
      for (const { start, end, page } of spans) {
        const text = document.text.slice(start, end);
        expect(estimateTokens(text), `seed ${seed}`).toBeLessThanOrEqual(chunking.tokensMax + 0.01);
        expect(text, `seed ${seed}`).toBe(text.trim());
        expect(text.isWellFormed(), `seed ${seed}`).toBe(true);
        expect(start, `seed ${seed}`).toBeGreaterThan(last);
        expect(end, `seed ${seed}`).toBeGreaterThan(reached);
        const inside = document.blocks.filter((block) => block.start < end && block.end > start);
        expect(new Set(inside.map((block) => block.page)), `seed ${seed}`).toEqual(new Set([page]));
        [last, reached] = [start, end];
      }
      const covered = (block: Block): boolean =>
        spans.some(({ start, end }) => start < block.end && end > block.start);
      const missing = document.blocks.filter((block) => block.kind !== 'heading' && !covered(block));
      expect(missing, `seed ${seed}`).toEqual([]);
    }
  });

  it('end with sentences and share whole ones with the passage before', () => {
    const passages = passagesOf([sentences(100)]);
    expect(passages.length).toBeGreaterThan(3);
    for (const [index, { text, start }] of passages.entries()) {
      expect(text).toMatch(/^Sentence number \d+ .*it\.$/s);
      const before = passages[index - 1];
      if (before !== undefined) {
        const shared = before.end - start;
        expect(shared).toBeGreaterThan(0);
        expect(estimateTokens(text.slice(0, shared))).toBeLessThanOrEqual(CHUNKING.tokensOverlap);
      }
    }
  });

  it('share nothing when no overlap is asked for, and at most half of the budget', () => {
    const none = passagesOf([sentences(100)], { tokensMax: 100, tokensOverlap: 0 });
    for (const [index, { start }] of none.entries())
      expect(start).toBeGreaterThan(none[index - 1]?.end ?? -1);
    const most = passagesOf([sentences(100)], { tokensMax: 100, tokensOverlap: 5000 });
    for (const [index, { start }] of most.entries()) {
      const before = most[index - 1];
      if (before !== undefined)
        expect((before.end - start) * 2).toBeLessThanOrEqual(before.end - before.start);
    }
  });

  it('rather end with a paragraph than in the middle of one', () => {
    const parts = Array.from({ length: 6 }, (_, index) => `${sentences(6)} Paragraph ${index} ends here.`);
    for (const { text } of passagesOf(parts)) expect(text).toMatch(/ends here\.$/);
  });

  it('sentences end where they do in other languages, not at the end of a line', () => {
    const chinese = '今天天气很好。我们去公园吧！你想吃什么？'.repeat(20);
    for (const { text } of passagesOf([chinese])) expect(text).toMatch(/[。！？]$/);
    const wrapped = Array.from({ length: 40 }, () => 'This sentence goes on\nover the line, e.g. here.').join(
      '\n',
    );
    for (const { text } of passagesOf([wrapped])) {
      expect(text.startsWith('This sentence')).toBe(true);
      expect(text.endsWith('here.')).toBe(true);
    }
  });

  it('keep the path of headings; a heading is in the first passage below it and above the others', () => {
    const passages = passagesOf([
      { level: 1, title: 'Book' },
      { level: 2, title: 'One' },
      sentences(60),
      { level: 3, title: 'Deeper' },
      'Text.',
      { level: 2, title: 'Two' },
      'More.',
      { level: 1, title: 'Alone' },
    ]);
    const shown = passages.map(({ headings, text }) => [headings.join(' > '), text.slice(0, 8)]);
    expect(shown[0]).toEqual(['Book', 'One\n\nSen']);
    expect(shown[1]?.[0]).toBe('Book > One');
    expect(shown.slice(-3)).toEqual([
      ['Book > One', 'Deeper\n\n'],
      ['Book', 'Two\n\nMor'],
      ['', 'Alone'],
    ]);
  });

  it('keep the nearest headings of a path that is too long, and cut one that is', () => {
    const passages = passagesOf([
      { level: 1, title: words(100, 'outer') },
      { level: 2, title: 'Inner' },
      sentences(60),
    ]);
    const headings = passages.at(-1)?.headings ?? [];
    expect(headings.at(-1)).toBe('Inner');
    expect(headings[0]?.startsWith('outer outer')).toBe(true);
    expect(estimateTokens(headings.join(' > '))).toBeLessThanOrEqual(34);
  });

  it('keep rows whole, and cut only what is too long by itself', () => {
    const rows = Array.from({ length: 50 }, (_, index) => ({ row: `${index} | some cell | another. Cell` }));
    for (const { text } of passagesOf(rows)) expect(text).toMatch(/^\d+ \| some cell.*Cell$/s);
    const long = passagesOf([{ row: `first ${words(2000)} last` }]);
    expect(long.length).toBeGreaterThan(5);
    for (const { text } of long) expect(text).toMatch(/^(first|word)( word)*( last)?$/);
  });

  it('of one long word are cut between characters', () => {
    for (const { text } of passagesOf(['👩‍🚀'.repeat(2000)])) expect(text.isWellFormed()).toBe(true);
  });
});

describe('the estimate of tokens', () => {
  // Counted with the vocabulary of all-MiniLM-L6-v2.
  it.each([
    ['Nothing of a call is kept, because the payload never reaches a disk.', 15],
    ['Die Datenschutzgrundverordnung gilt für alle Unternehmen in der Europäischen Union.', 26],
    ['今天天气很好，我们去公园吧！', 14],
    ['Привет, как дела?', 15],
    ['2026-11-23T17:56:14Z took 13.84 ms', 18],
  ])('is not below the truth: %s', (text, tokens) => {
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(tokens);
  });
});
