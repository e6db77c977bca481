import { describe, expect, it } from 'vitest';
import { mayBacktrackCatastrophically } from './pattern-safety.ts';

describe('a pattern that can take exponential time is recognised', () => {
  const risky = [
    '(a+)+$',
    '(a*)*b',
    '(a|a)+$',
    '(a|ab)*c',
    '(.|x)*y',
    '(\\d|[0-9])+!',
    '^(\\w+\\s?)*$',
    '^\\w+([.-]?\\w+)*@',
    '((a{1,20}){1,20})$',
    '(x+x+)+y',
    '(?:a+){10,}',
    '(?<n>a+)+',
    '(a+|b)*',
    '(|a)+',
    '(-[a-z]+.?)*',
    '(-[a-z-]+)*',
    '((ab)+)+',
    '(a+)\\1+',
    '([a-z]+)*',
  ];
  for (const pattern of risky) {
    it(pattern, () => expect(mayBacktrackCatastrophically(pattern)).toBe(true));
  }
});

describe('an everyday pattern is not', () => {
  const harmless = [
    '^[a-z0-9-]{5,20}$',
    '^[a-z0-9]+(?:-[a-z0-9]+)*$',
    '^\\d+(\\.\\d+)*$',
    '^(\\d+,)*\\d+$',
    '^[^@]+@[^@]+\\.[^@]+$',
    '^(?=.*\\d)(?=.*[A-Z]).{8,}$',
    '^(red|green|blue)$',
    '^(a|b)*$',
    '^\\d{4}-\\d{2}-\\d{2}T[\\d:.]+Z?$',
    '^((25[0-5]|1\\d\\d|\\d)\\.){3}\\d+$',
    '^[\\[\\])(+*]+$',
    '(',
    ')',
    '[',
    '\\',
  ];
  for (const pattern of harmless) {
    it(pattern, () => expect(mayBacktrackCatastrophically(pattern)).toBe(false));
  }
});
