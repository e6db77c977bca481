import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { stopwords as dutchStops } from '@orama/stopwords/dutch';
import { stopwords as englishStops } from '@orama/stopwords/english';
import { stopwords as frenchStops } from '@orama/stopwords/french';
import { stopwords as germanStops } from '@orama/stopwords/german';
import { stopwords as italianStops } from '@orama/stopwords/italian';
import { stopwords as portugueseStops } from '@orama/stopwords/portuguese';
import { stopwords as spanishStops } from '@orama/stopwords/spanish';

/**
 * Words of texts as the keyword index knows them: lower case, without diacritics, stemmed. The language is told by its
 * stop words; a text whose language is not known is taken for English, which leaves most foreign words as they are. A
 * word of a query, too short to tell, is looked up under its stem in each language. Scripts that put no space
 * between words (Chinese, Japanese, Thai, and Korean with its endings) give pairs of characters.
 */
interface Language {
  readonly stem: (word: string) => string;
  readonly stops: ReadonlySet<string>;
}

const language = (stem: (word: string) => string, stops: readonly string[]): Language => ({
  stem,
  stops: new Set(stops.flatMap((stop) => fold(stop).match(WORD) ?? [])),
});

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const PAIRED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}ー]+/gu;
/** Longer ones are no words: they are told apart by their beginning. */
const CHARACTERS_MAX = 48;
/** Of a passage's words, before they tell its language. */
const STOPS_SHARE_MIN = 0.05;

const ENGLISH = language(english, englishStops);
const LANGUAGES: readonly Language[] = [
  ENGLISH,
  language(german, germanStops),
  language(french, frenchStops),
  language(spanish, spanishStops),
  language(italian, italianStops),
  language(dutch, dutchStops),
  language(portuguese, portugueseStops),
];

/** How often each word stands in a text. */
export function wordsOf(text: string): Map<string, number> {
  const { words, pairs } = split(text);
  const { stem, stops } = languageOf(words, STOPS_SHARE_MIN) ?? ENGLISH;
  const counts = new Map<string, number>();
  const count = (word: string): void => void counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const word of words) if (!stops.has(word)) count(stem(word));
  for (const pair of pairs) count(pair);
  return counts;
}

/** The words of a query, each as the forms that it may have in the index. */
export function queryForms(text: string): string[][] {
  const { words, pairs } = split(text);
  const stops = languageOf(words, 0)?.stops;
  const telling = words.filter((word) => stops?.has(word) !== true);
  const forms = [...new Set(telling.length > 0 ? telling : words)].map((word) => [
    ...new Set(LANGUAGES.map(({ stem }) => stem(word))),
  ]);
  return [...forms, ...[...new Set(pairs)].map((pair) => [pair])];
}

function split(text: string): { words: string[]; pairs: string[] } {
  const words: string[] = [];
  const pairs: string[] = [];
  for (const [run] of fold(text).matchAll(WORD)) {
    for (const [paired] of run.matchAll(PAIRED)) pairs.push(...pairsOf(Array.from(paired)));
    const rest = run.replaceAll(PAIRED, ' ').trim();
    if (rest !== '') words.push(...rest.split(/ +/).map((word) => word.slice(0, CHARACTERS_MAX)));
  }
  return { words, pairs };
}

function pairsOf(characters: readonly string[]): string[] {
  if (characters.length < 2) return [...characters];
  return characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
}

/** Lower case without diacritics. Marks of other scripts than Latin, Greek and Cyrillic stay: they make other letters. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ß', 'ss');
}

function languageOf(words: readonly string[], shareMin: number): Language | undefined {
  let most = words.length * shareMin;
  let found: Language | undefined;
  for (const candidate of LANGUAGES) {
    const stops = words.reduce((count, word) => count + (candidate.stops.has(word) ? 1 : 0), 0);
    if (stops <= most) continue;
    most = stops;
    found = candidate;
  }
  return found;
}
