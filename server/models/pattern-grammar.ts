/**
 * A regular expression (`pattern` of JSON Schema) → GBNF of the inside of a JSON string, for the common part of the
 * language: literals, classes, groups, alternatives, counted repetition, anchors at the ends. Undefined for the
 * rest (look-around, back references, inner anchors), which then only the validation of the result enforces.
 */
export function patternGrammar(source: string): string | undefined {
  if (source.length > SOURCE_CHARACTERS_MAX) return undefined;
  const isStart = source.startsWith('^');
  const isEnd = /(?<!\\)(\\\\)*\$$/.test(source);
  const inner = source.slice(isStart ? 1 : 0, isEnd ? -1 : undefined);
  const reader: Reader = { source: inner, at: 0 };
  try {
    const body = alternatives(reader);
    if (reader.at < inner.length) return undefined;
    // `^a|b$` binds each anchor to its own alternative.
    if (body.isChoice && (isStart || isEnd)) return undefined;
    return `${isStart ? '' : ANYTHING} (${body.text}) ${isEnd ? '' : ANYTHING}`.trim();
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

class Unsupported extends Error {}

interface Reader {
  readonly source: string;
  at: number;
}

const SOURCE_CHARACTERS_MAX = 500;
const REPETITIONS_MAX = 200;
/** What `*` and `+` are held to: a model has to come to an end. */
const UNBOUNDED_MAX = 40;
const ANYTHING = 'char{0,40}';
const CLASSES: Readonly<Record<string, string>> = { d: '0-9', w: 'a-zA-Z0-9_', s: ' ' };
const CONTROLS = new Set('bBkKpPuxcDWSnrtfv0123456789');

function alternatives(reader: Reader): { text: string; isChoice: boolean } {
  const branches = [branch(reader)];
  while (reader.source[reader.at] === '|') {
    reader.at++;
    branches.push(branch(reader));
  }
  return { text: branches.join(' | '), isChoice: branches.length > 1 };
}

function branch(reader: Reader): string {
  const parts: string[] = [];
  while (reader.at < reader.source.length && !'|)'.includes(reader.source.charAt(reader.at)))
    parts.push(atom(reader) + quantifier(reader));
  return parts.length === 0 ? '""' : parts.join(' ');
}

function atom(reader: Reader): string {
  const character = take(reader);
  if (character === '(') return group(reader);
  if (character === '[') return characterClass(reader);
  if (character === '.') return 'char';
  if (character === '\\') return escaped(take(reader));
  if ('^$*+?{}'.includes(character)) throw new Unsupported();
  return quoted(character);
}

function group(reader: Reader): string {
  if (reader.source[reader.at] === '?') {
    if (!reader.source.startsWith('?:', reader.at)) throw new Unsupported();
    reader.at += 2;
  }
  const { text } = alternatives(reader);
  if (take(reader) !== ')') throw new Unsupported();
  return `(${text})`;
}

function escaped(character: string): string {
  const named = CLASSES[character];
  if (named !== undefined) return `[${named}]`;
  if (CONTROLS.has(character)) throw new Unsupported();
  return quoted(character);
}

function characterClass(reader: Reader): string {
  let body = '';
  const isNegated = reader.source[reader.at] === '^';
  if (isNegated) reader.at++;
  for (let character = take(reader); character !== ']'; character = take(reader)) {
    body += character === '\\' ? escapedInClass(take(reader)) : inClass(character, reader);
  }
  if (body === '') throw new Unsupported();
  // Quotes and backslashes would have to be escaped in JSON: a class leaves them out.
  return isNegated ? String.raw`[^${body}"\\\x00-\x1F]` : `[${body}]`;
}

function inClass(character: string, reader: Reader): string {
  if (character === '"' || character.codePointAt(0) === undefined) throw new Unsupported();
  // A range that starts or ends at an escape would need its own reading.
  if (character === '-' && reader.source[reader.at] === '\\') throw new Unsupported();
  return character === '^' ? String.raw`\x5E` : character;
}

function escapedInClass(character: string): string {
  const named = CLASSES[character];
  if (named !== undefined) return named;
  if (CONTROLS.has(character) || character === '"' || character === '\\') throw new Unsupported();
  return `\\x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0').slice(-2)}`;
}

function quantifier(reader: Reader): string {
  const rest = reader.source.slice(reader.at);
  const match = /^(?:[*+?]|\{(\d+)(,(\d*))?\})/.exec(rest);
  if (match === null) return '';
  reader.at += match[0].length;
  // Lazy or not is about matching, not about what matches.
  if (reader.source[reader.at] === '?') reader.at++;
  if (match[0] === '?') return '?';
  const min = match[0] === '*' ? 0 : Number(match[1] ?? 1);
  const isExact = match[1] !== undefined && match[2] === undefined;
  const open = Math.max(UNBOUNDED_MAX, min);
  const max = isExact ? min : Number(match[3] === undefined || match[3] === '' ? open : match[3]);
  if (max > REPETITIONS_MAX) throw new Unsupported();
  return `{${min},${max}}`;
}

/** A character as it stands in JSON text, as a GBNF literal. */
function quoted(character: string): string {
  const json = JSON.stringify(character).slice(1, -1);
  return `"${json.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function take(reader: Reader): string {
  const character = reader.source.charAt(reader.at);
  if (character === '') throw new Unsupported();
  reader.at++;
  return character;
}
