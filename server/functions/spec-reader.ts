import { PlatformError, type Fault } from '../kernel/errors.ts';
import { SPEC_LIMITS } from './limits.ts';
import type { Json } from './spec.ts';

export type JsonObject = { readonly [key: string]: Json };

/** A value of a document with where it stands, so that every fault can name its place. */
export interface Field {
  readonly value: Json | undefined;
  readonly pointer: string;
}

/** Reads fields leniently about absence (null is absent) and collects every fault instead of stopping at one. */
export class SpecReader {
  readonly faults: Fault[] = [];

  refuse(field: Field, message: string): undefined {
    this.faults.push({ pointer: field.pointer, message });
  }

  /** The object's fields by name; an absent object has none. */
  object(field: Field): (key: string) => Field {
    const { value } = field;
    if (value !== undefined && value !== null && !isObject(value))
      this.refuse(field, 'This must be an object.');
    const object = isObject(value) ? value : {};
    return (key) => ({
      value: Object.hasOwn(object, key) ? object[key] : undefined,
      pointer: `${field.pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    });
  }

  text(field: Field, lengthMax: number, fallback = ''): string {
    const { value } = field;
    if (isAbsent(value)) return fallback;
    if (typeof value !== 'string') return this.refuse(field, 'This must be text.') ?? fallback;
    const text = value.trim();
    if (text.length > lengthMax) this.refuse(field, `This is longer than ${lengthMax} characters.`);
    // Line breaks and tabs are fine in descriptions; other control characters only confuse terminals.
    if (/[^\P{Cc}\n\r\t]/u.test(text)) this.refuse(field, 'This contains control characters.');
    return text;
  }

  flag(field: Field, fallback: boolean): boolean {
    const { value } = field;
    if (isAbsent(value)) return fallback;
    return typeof value === 'boolean'
      ? value
      : (this.refuse(field, 'This must be true or false.') ?? fallback);
  }

  integer(field: Field, range: { min: number; max: number; fallback: number }): number {
    const { value } = field;
    if (isAbsent(value)) return range.fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max)
      return value;
    return (
      this.refuse(field, `This must be a whole number from ${range.min} to ${range.max}.`) ?? range.fallback
    );
  }

  /** The items as fields; an absent list has none. */
  list(field: Field, itemsMax: number): Field[] {
    const { value } = field;
    if (isAbsent(value)) return [];
    if (!Array.isArray(value)) return this.refuse(field, 'This must be a list.') ?? [];
    if (value.length > itemsMax) this.refuse(field, `This list has more than ${itemsMax} items.`);
    return value
      .slice(0, itemsMax)
      .map((item: Json, index) => ({ value: item, pointer: `${field.pointer}/${index}` }));
  }

  /** A list of distinct texts, each brought into its form by `normalise`, which returns undefined for a fault. */
  texts(field: Field, itemsMax: number, normalise: (item: Field) => string | undefined): string[] {
    const texts = this.list(field, itemsMax).map(normalise);
    return [...new Set(texts.filter((text) => text !== undefined))];
  }
}

export function isAbsent(value: Json | undefined): value is null | undefined {
  return value === undefined || value === null;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function specError(what: string, message: string, faults: readonly Fault[] = []): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: `functions.spec_${what}`, message, faults });
}

/** Parses jellyspec.json's text within bounds; keys that could reach a prototype are dropped. */
export function parseSpecJson(text: string): Json {
  if (Buffer.byteLength(text) > SPEC_LIMITS.fileBytesMax) {
    throw specError(
      'too_large',
      `jellyspec.json is larger than ${SPEC_LIMITS.fileBytesMax / 1024} KiB. Shorten it.`,
    );
  }
  if (nestingDepth(text) > SPEC_LIMITS.depthMax) {
    throw specError(
      'too_deep',
      `jellyspec.json is nested more than ${SPEC_LIMITS.depthMax} levels deep. Flatten it.`,
    );
  }
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''), (key, value: Json) =>
      key === '__proto__' ? undefined : value,
    );
  } catch (error) {
    const position = error instanceof Error ? /line \d+ column \d+/.exec(error.message)?.[0] : undefined;
    const where = position === undefined ? '' : ` (${position})`;
    throw specError(
      'not_json',
      `jellyspec.json is not valid JSON${where}. Check commas, quotes and brackets.`,
    );
  }
}

function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '{' || character === '[')) deepest = Math.max(deepest, ++depth);
    else if (!quoted && (character === '}' || character === ']')) depth--;
  }
  return deepest;
}
