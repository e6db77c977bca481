import type en from '../locales/en.json';

/** Every text that a visitor can meet, in one language. Of each language there is a file in `locales/`. */
export type Texts = typeof en;

/** Of a BCP 47 tag, its first part; English where there is no text in that language. */
export function textsFor(tag: string): readonly [string, Texts] {
  const wanted = tag.slice(0, 2).toLowerCase();
  const [language, texts] = TEXTS.find(([known]) => known === wanted) ?? TEXTS[0];
  const values = texts.split('|');
  return [language, Object.fromEntries(TEXT_NAMES.split('|').map((name, at) => [name, values[at]])) as Texts];
}

export function directionOf(language: string): 'ltr' | 'rtl' {
  return language === 'ar' || language === 'he' ? 'rtl' : 'ltr';
}
