import { describe, expect, it } from 'vitest';
import { figuresOf } from './rankings.ts';

describe('figures of rankings', () => {
  it('are 1 where everything right comes first', () => {
    const figures = figuresOf([{ hits: [true, true, false], relevant: 2 }]);
    expect(Object.values(figures)).toEqual([1, 1, 1, 1, 1]);
  });

  it('count what comes later for less, and what does not come for nothing', () => {
    const [late, none] = [
      { hits: [false, true], relevant: 1 },
      { hits: [false, false], relevant: 1 },
    ];
    expect(figuresOf([late])).toMatchObject({ recallAt1: 0, recallAt5: 1, mrrAt10: 0.5 });
    expect(figuresOf([late]).ndcgAt10).toBeCloseTo(1 / Math.log2(3));
    expect(figuresOf([late, none])).toMatchObject({ recallAt5: 0.5, mrrAt10: 0.25 });
  });

  it('stop at the tenth hit', () => {
    const hits = [...Array.from({ length: 10 }, () => false), true];
    expect(Object.values(figuresOf([{ hits, relevant: 1 }]))).toEqual([0, 0, 0, 0, 0]);
  });
});
