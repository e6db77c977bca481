import { describe, expect, it } from 'vitest';
import { parseRobots } from './robots.ts';

const allowed = (text: string, path: string): boolean => parseRobots(text)(path);

describe('robots.txt', () => {
  it.each<[text: string, path: string, may: boolean]>([
    ['', '/a', true],
    ['User-agent: *\nDisallow: /', '/a', false],
    ['User-agent: *\nDisallow:', '/a', true],
    ['user-agent: *\r\ndisallow: /private # not here\r\nallow: /private/open', '/private/x', false],
    ['user-agent: *\r\ndisallow: /private # not here\r\nallow: /private/open', '/private/open/x', true],
    ['User-agent: *\nDisallow: /\nUser-agent: AIMee\nDisallow: /secret', '/a', true],
    ['User-agent: *\nDisallow: /\nUser-agent: AIMee\nDisallow: /secret', '/secret/a', false],
    ['User-agent: other\nUser-agent: aimee\nDisallow: /x', '/x', false],
    ['User-agent: *\nDisallow: /*.pdf$', '/a/b.pdf', false],
    ['User-agent: *\nDisallow: /*.pdf$', '/a/b.pdf?x', true],
    ['User-agent: *\nDisallow: /a*z', '/abcz', false],
    ['User-agent: *\nDisallow: /a*z', '/abc', true],
    ['User-agent: *\nDisallow: /page$', '/page', false],
    ['User-agent: *\nDisallow: /page$', '/pages', true],
    ['Disallow: /a', '/a', true],
    ['<html>not found</html>', '/a', true],
  ])('%j lets %s be read: %s', (text, path, may) => {
    expect(allowed(text, path)).toBe(may);
  });

  it('takes no time over a pattern that is made to', () => {
    const pattern = `/${'*a'.repeat(20_000)}b$`;
    expect(allowed(`User-agent: *\nDisallow: ${pattern}`, `/${'a'.repeat(40_000)}`)).toBe(true);
  });
});
