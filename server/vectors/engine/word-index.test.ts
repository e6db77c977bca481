import { expect, it } from 'vitest';
import { seededRandom } from '../../../testkit/raw-zip.ts';
import { createWordIndex, packWords, type WordScore } from './word-index.ts';

type Counts = ReadonlyMap<string, number>;

/** Any number will do: here words are numbers. */
const hash = Number;
const pack = (counts: Counts): Uint8Array => packWords(counts, hash) ?? new Uint8Array();
const lengthOf = (counts: Counts): number => [...counts.values()].reduce((sum, times) => sum + times, 0);

/** BM25 as its definition has it. */
function naive(texts: ReadonlyMap<number, Counts>, words: readonly (readonly number[])[]): WordScore[] {
  const average = [...texts.values()].reduce((sum, counts) => sum + lengthOf(counts), 0) / texts.size;
  const times = (counts: Counts, forms: readonly number[]): number =>
    forms.reduce((sum, form) => sum + (counts.get(String(form)) ?? 0), 0);
  return [...texts]
    .map(([key, counts]) => {
      let score = 0;
      for (const forms of words) {
        const some = times(counts, forms);
        const among = [...texts.values()].filter((other) => times(other, forms) > 0).length;
        const weight = Math.log(1 + (texts.size - among + 0.5) / (among + 0.5));
        score += (weight * some * 2.2) / (some + 1.2 * (0.25 + (0.75 * lengthOf(counts)) / average));
      }
      return { key, score };
    })
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || a.key - b.key);
}

it('scores as BM25 is defined, whatever came and went before', async () => {
  const random = seededRandom(8);
  const index = createWordIndex(() => Promise.resolve());
  const texts = new Map<number, Counts>();
  const word = (): number => Math.floor(random() ** 2 * 70_000);
  for (let round = 0; round < 40; round++) {
    for (let n = 0; n < 30; n++) {
      const key = round * 30 + n;
      const counts = new Map(
        Array.from({ length: 1 + Math.floor(random() * 400) }, () => [
          String(word()),
          1 + Math.floor(random() * 5),
        ]),
      );
      texts.set(key, counts);
      index.add(key, pack(counts));
    }
    for (const key of [...texts.keys()].filter(() => random() < (round < 30 ? 0.2 : 0.6))) {
      texts.delete(key);
      index.remove(key);
    }
    if (round % 5 > 0) continue;
    const words = Array.from({ length: 4 }, (_, n) => (n < 2 ? [n, 100 + n] : [word()]));
    const expected = naive(texts, words);
    const found = (await index.find(words)).best(20);
    expect(found.map(({ key }) => key)).toEqual(expected.slice(0, 20).map(({ key }) => key));
    for (const [rank, { score }] of found.entries()) expect(score).toBeCloseTo(expected[rank]?.score ?? 0, 9);
    // Of a part, with the same scores.
    const part = [...texts.keys()].filter(() => random() < 0.3);
    const ofPart = expected.filter(({ key }) => part.includes(key));
    expect((await index.find(words)).best(1000, part).map(({ key }) => key)).toEqual(
      ofPart.map(({ key }) => key),
    );
  }
  for (const key of texts.keys()) index.remove(key);
  expect((await index.find([[1]])).best(5)).toEqual([]);
  expect(index.bytes).toBe(0);
});

it('finds nothing for no words, and counts a word no more than 255 times', async () => {
  const index = createWordIndex(() => Promise.resolve());
  index.add(1, pack(new Map([['7', 100_000]])));
  expect((await index.find([])).best(5)).toEqual([]);
  expect((await index.find([[8]])).best(5)).toEqual([]);
  expect((await index.find([[7]])).best(5)).toEqual([{ key: 1, score: expect.any(Number) as number }]);
  expect(packWords(new Map(), hash)).toBeNull();
});
