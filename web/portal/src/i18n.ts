import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import de from './locales/de.json' with { type: 'json' };
import en from './locales/en.json' with { type: 'json' };

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = 'language';

interface Texts {
  readonly [key: string]: string | Texts;
}

/** The texts of each page lie in files of their own: `locales/pages/<page>.<language>.json` are below `pages.<page>`. */
const pageFiles = import.meta.glob<Texts>('./locales/pages/*.json', { eager: true, import: 'default' });

function pageTexts(language: Language): Texts {
  const own = Object.entries(pageFiles).map(([path, texts]) => ({
    name: path.split('/').at(-1) ?? '',
    texts,
  }));
  const suffix = `.${language}.json`;
  return Object.fromEntries(
    own
      .filter(({ name }) => name.endsWith(suffix))
      .map(({ name, texts }) => [name.slice(0, -suffix.length), texts]),
  );
}

/** All texts of the portal, by language. */
export const TEXTS: Readonly<Record<Language, Texts>> = {
  en: { ...en, pages: pageTexts('en') },
  de: { ...de, pages: pageTexts('de') },
};

/** Theme and language are the only things that the portal leaves in the browser. */
function preferred(): Language {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag): tag is Language => tag !== null && tag in LANGUAGES) ?? 'en';
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: TEXTS.en }, de: { translation: TEXTS.de } },
    lng: preferred(),
    fallbackLng: 'en',
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED, language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
