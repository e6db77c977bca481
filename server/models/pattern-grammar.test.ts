import { expect, test } from 'vitest';
import { patternGrammar } from './pattern-grammar.ts';
import { expressionOf } from './testing.ts';

const TEXTS = [
  '', 'a', 'ab', 'abc', 'ABC', 'XY9', 'AB-12', 'A1', '12', '123', '2026-11-23', 'DE89', 'foo', 'bar', 'foobar', 'a b',
  'a.b', 'a-b', 'a_b', 'a^b', 'a]b', 'a+b', '+49 30', 'x1y2', '0', '00', '007', 'é', 'ab12cd', 'v1.2.3', '-',
]; // prettier-ignore

test.each([
  '^[A-Z]{3}$',
  '^[A-Z]{2}-?\\d{1,4}$',
  '^\\d+$',
  '^(foo|bar)+$',
  '^(?:\\w+[.-])?\\w+$',
  '^[^0-9]*$',
  '^v\\d+\\.\\d+\\.\\d+$',
  '^[a-z\\-+^\\].]+$',
  '^\\d{4}-\\d{2}-\\d{2}$',
  '^0{0,2}7?$',
  '[0-9]',
  '^a',
  '^.{2,3}$',
  '^-$',
])('what can be written for %s is what it matches', (source) => {
  const grammar = patternGrammar(source);
  if (grammar === undefined) throw new Error('not supported');
  const written = expressionOf(grammar);
  expect(TEXTS.filter((text) => written.test(text))).toEqual(
    TEXTS.filter((text) => new RegExp(source, 'u').test(text)),
  );
});

test.each([
  '^(?=a)b$',
  '(a)\\1',
  '^a|b$',
  '\\p{L}',
  '^\\bword$',
  'a{1000}',
  'x'.repeat(501),
  '[',
  '(',
  'a^b',
])('what a grammar cannot say is left to validation: %s', (source) =>
  expect(patternGrammar(source)).toBeUndefined(),
);
