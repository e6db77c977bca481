import { describe, expect, test } from 'vitest';
import { isAcceptableKey, isWellFormedKey, newApiKey } from './api-key.ts';

describe('an API key', () => {
  test('is sk_ and 27 base62 characters, well-formed and never the same', () => {
    const keys = Array.from({ length: 500 }, () => newApiKey().reveal());
    for (const key of keys) {
      expect(key).toMatch(/^sk_[0-9A-Za-z]{27}$/);
      expect(isWellFormedKey(key)).toBe(true);
      expect(isAcceptableKey(key)).toBe(true);
    }
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('with any one character changed is not well-formed', () => {
    const key = newApiKey().reveal();
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(isWellFormedKey(key.slice(0, at) + other + key.slice(at + 1)), `at ${at}`).toBe(false);
    }
  });

  test('with two neighbours exchanged is not well-formed', () => {
    const key = newApiKey().reveal();
    for (let at = 3; at < key.length - 1; at++) {
      const [left, right] = [key.charAt(at), key.charAt(at + 1)];
      if (left === right) continue;
      expect(isWellFormedKey(key.slice(0, at) + right + left + key.slice(at + 2)), `at ${at}`).toBe(false);
    }
  });

  test.each(['', 'sk_', 'pk_0123456789abcdef', 'sk_short', 'x'.repeat(65536), `sk_${'a'.repeat(65536)}`])(
    'has another form than this',
    (text) => {
      expect(isWellFormedKey(text)).toBe(false);
      expect(isAcceptableKey(text)).toBe(false);
    },
  );

  test('chosen by an operator has 15 to 128 printable ASCII characters', () => {
    const key = (length: number): string => `sk_${'a!'.repeat(100)}`.slice(0, length);
    expect([14, 15, 128, 129].map((length) => isAcceptableKey(key(length)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    for (const bad of [' ', '\n', '\0', '\x7f', 'ä', '\u202e']) {
      expect(isAcceptableKey(`sk_aaaaaaaaaaaa${bad}`)).toBe(false);
    }
  });
});
