import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LANGUAGES, TEXTS } from './i18n.ts';

/** Texts as the sources name them: `t('area.key')`, `t(`area.${part}.key`)`, or a key handed on as a plain string. */
const sourceDirectory = fileURLToPath(new URL('.', import.meta.url));
const sources = readdirSync(sourceDirectory, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.test.ts'))
  .map((path) => readFileSync(join(sourceDirectory, path), 'utf8'));

/** How i18next finds the form of a text for a number. */
const PLURAL = /_(?:zero|one|two|few|many|other)$/;

function keysOf(texts: object, prefix = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? keysOf(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

function withoutPlural(keys: readonly string[]): Set<string> {
  return new Set(keys.map((key) => key.replace(PLURAL, '')));
}

function matchesOf(pattern: RegExp): string[] {
  return sources.flatMap((source) => [...source.matchAll(pattern)].map((match) => match[1] ?? ''));
}

function placeholdersOf(language: keyof typeof LANGUAGES): Map<string, string> {
  const found = new Map<string, Set<string>>();
  for (const key of keysOf(TEXTS[language])) {
    const steps = key.split('.');
    const text = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], TEXTS[language]);
    const names = found.get(key.replace(PLURAL, '')) ?? new Set<string>();
    for (const [name] of String(text).matchAll(/\{\{\w+\}\}/g)) names.add(name);
    found.set(key.replace(PLURAL, ''), names);
  }
  return new Map([...found].map(([key, names]) => [key, [...names].toSorted().join(' ')]));
}

describe('the texts', () => {
  const english = keysOf(TEXTS.en);
  const known = withoutPlural(english);

  it.each(Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[])(
    'say the same things in %s, about the same values',
    (language) => {
      expect(keysOf(TEXTS[language]).toSorted()).toEqual(english.toSorted());
      expect(placeholdersOf(language)).toEqual(placeholdersOf('en'));
    },
  );

  it('are all there', () => {
    const asked = matchesOf(/\bt\(\s*'([^']+)'/g);
    expect(asked.filter((key) => !known.has(key))).toEqual([]);
  });

  it('are all used', () => {
    const plain = new Set(matchesOf(/['"]([\w-]+(?:\.[\w-]+)+)['"]/g));
    const patterns = matchesOf(/`([\w-]+\.[^`\s]*\$\{[^`]+)`/g).map(
      (template) => new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\$\{[^}]+\}/g, '[\\w-]+')}$`),
    );
    const isUsed = (key: string): boolean => plain.has(key) || patterns.some((pattern) => pattern.test(key));
    expect([...known].filter((key) => !isUsed(key))).toEqual([]);
  });
});
