import { expect, it } from 'vitest';
import { CitedText } from './cited-text.ts';

const TEXT = 'The valve stops it [1]. Turn right [2, 3] [12]. See [here] and a[0]. End [4]';

it.each([1, 2, 3, 5, 8, 1000])('marks go and their numbers stay, in pieces of %i', (size) => {
  const heard: string[] = [];
  const text = new CitedText((piece) => heard.push(piece));
  for (let at = 0; at < TEXT.length; at += size) text.push(TEXT.slice(at, at + size));
  text.end();
  expect(heard.join('')).toBe('The valve stops it. Turn right. See [here] and a. End');
  expect(text.said).toBe(heard.join(''));
  expect([...text.cited]).toEqual([1, 2, 3, 12, 0, 4]);
});
