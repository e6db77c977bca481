import { describe, expect, it } from 'vitest';
import { isRelevant } from './relevance.ts';
import { windowsOf } from './windows.ts';

describe('windows of a passage', () => {
  it('are each two sentences that follow each other, cut exactly', () => {
    const text = ' One is here.  Two is, e.g., there!\nThree? ';
    const windows = windowsOf(text, 10);
    expect(windows.map((window) => window.text)).toEqual([
      'One is here.  Two is, e.g., there!',
      'Two is, e.g., there!\nThree?',
    ]);
    for (const { start, end, text: said } of windows) expect(text.slice(start, end)).toBe(said);
  });

  it('are the whole of a single sentence, none of nothing, and bounded', () => {
    expect(windowsOf('Only one', 10)).toEqual([{ start: 0, end: 8, text: 'Only one' }]);
    expect(windowsOf(' \n ', 10)).toEqual([]);
    expect(windowsOf('A. '.repeat(100), 5)).toHaveLength(5);
  });
});

describe('relevance', () => {
  const hit = { id: 'a', score: 0.4, keywordScore: null, metadata: {}, text: 'The red valve', span: null };
  const found = (cosine: number): Parameters<typeof isRelevant>[1] => ({
    hits: [hit],
    windows: new Map([['a', { start: 0, end: 13, text: hit.text, score: cosine }]]),
  });
  const mini = { model: 'all-minilm-l6-v2-int8@0' };

  it('is sense, or less of it where words stand there too', () => {
    expect(isRelevant(mini, found(0.6), { text: 'crimson tap' })).toBe(true);
    expect(isRelevant(mini, found(0.3), { text: 'crimson tap' })).toBe(false);
    expect(isRelevant(mini, found(0.3), { text: 'Which red valves?' })).toBe(true);
  });

  it('is what the question says, if it says a score', () => {
    expect(isRelevant(mini, found(0.9), { text: 'a', minScore: 0.5 })).toBe(false);
    expect(isRelevant(mini, found(0), { text: 'a', minScore: 0.4 })).toBe(true);
  });

  it('is not denied where the model’s scores are not known, but there has to be a passage', () => {
    expect(isRelevant({ model: 'other@1' }, found(0.1), { text: 'a' })).toBe(true);
    expect(isRelevant({ model: 'other@1' }, { hits: [], windows: new Map() }, { text: 'a' })).toBe(false);
  });
});
