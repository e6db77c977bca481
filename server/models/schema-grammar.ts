import type { Json } from '../functions/spec.ts';
import { integerRange, numberRange, type Bounds } from './number-grammar.ts';
import { patternGrammar } from './pattern-grammar.ts';

/**
 * JSON Schema (2020-12) → GBNF, the grammar language of llama.cpp: whatever a model writes under it is JSON of the
 * schema. What a grammar cannot say (`not`, `if`, `contains`, `uniqueItems`, `patternProperties` …) is left out, so
 * the text is validated again by whoever uses it. Optional properties may be left out; unknown ones are never
 * written. Strings and arrays without a bound get one, or a small model would never close them.
 */
export function schemaGrammar(schema: Json): string {
  const rules: Rules = { root: schema, byPointer: new Map(), lines: [], characters: 0 };
  const start = expression(schema, rules, 0);
  const grammar = [`root ::= ${start}`, ...rules.lines, ...COMMON].join('\n');
  return rules.characters > CHARACTERS_MAX ? [`root ::= object`, ...COMMON].join('\n') : grammar;
}

const CHARACTERS_MAX = 128 * 1024;
const DEPTH_MAX = 24;
const STRING_CHARACTERS_MAX = 400;
const ITEMS_MAX = 12;
const ENTRIES_MAX = 8;
/** llama.cpp refuses longer repetitions. */
const REPETITIONS_MAX = 1000;

/** JSON of any form, bounded in depth and width. */
const COMMON = [
  String.raw`char ::= [^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]`,
  `string ::= "\\"" char{0,${STRING_CHARACTERS_MAX}} "\\""`,
  `integer ::= "-"? ("0" | [1-9] [0-9]{0,14})`,
  `number ::= integer ("." [0-9]{1,8})?`,
  `scalar ::= string | number | "true" | "false" | "null"`,
  `value ::= scalar | array | object`,
  `leaf ::= scalar | "[]" | "{}"`,
  `array ::= "[" (leaf (", " leaf){0,${ITEMS_MAX - 1}})? "]"`,
  `object ::= "{" (string ": " leaf (", " string ": " leaf){0,${ENTRIES_MAX - 1}})? "}"`,
];

const FORMATS: Readonly<Record<string, string>> = {
  date: '^[12]\\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])$',
  time: '^([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\dZ$',
  'date-time': '^[12]\\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\dZ$',
  email: '^[a-z0-9]{1,24}([._+-][a-z0-9]{1,24}){0,2}@[a-z0-9]{1,24}(\\.[a-z0-9]{1,24}){0,2}\\.[a-z]{2,10}$',
  uuid: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  ipv4: '^((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d|\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d|\\d)$',
  hostname: '^[a-z0-9]{1,24}([.-][a-z0-9]{1,24}){0,6}$',
  uri: '^https?://[a-z0-9]{1,24}([.-][a-z0-9]{1,24}){0,6}(/[A-Za-z0-9_~.-]{0,40}){0,8}$',
};

interface Rules {
  readonly root: Json;
  /** Names of the rules of referenced schemas: a schema may refer to itself. */
  readonly byPointer: Map<string, string>;
  readonly lines: string[];
  characters: number;
}

type Schema = Readonly<Record<string, Json>>;

function expression(schema: Json | undefined, rules: Rules, depth: number): string {
  if (!isObject(schema) || depth > DEPTH_MAX || rules.characters > CHARACTERS_MAX) return 'value';
  if (typeof schema['$ref'] === 'string') return reference(schema['$ref'], rules, depth);
  if (schema['const'] !== undefined) return literal(schema['const']);
  if (Array.isArray(schema['enum'])) return oneOf(schema['enum'].map(literal));
  const parts = schema['allOf'];
  if (Array.isArray(parts)) return expression(merged(schema, parts, rules), rules, depth + 1);
  for (const key of ['anyOf', 'oneOf']) {
    const choices = schema[key];
    if (Array.isArray(choices)) {
      const { [key]: _, ...base } = schema;
      return oneOf(choices.map((choice) => expression(merged(base, [choice], rules), rules, depth + 1)));
    }
  }
  return typed(schema, rules, depth);
}

function typed(schema: Schema, rules: Rules, depth: number): string {
  const type = schema['type'] ?? impliedType(schema);
  if (Array.isArray(type)) return oneOf(type.map((one) => typed({ ...schema, type: one }, rules, depth)));
  return (typeof type === 'string' ? TYPES[type]?.(schema, rules, depth) : undefined) ?? 'value';
}

const TYPES: Partial<Record<string, (schema: Schema, rules: Rules, depth: number) => string>> = {
  string,
  integer: (schema) => integerRange(bounds(schema)),
  number: (schema) => numberRange(bounds(schema)),
  boolean: () => '("true" | "false")',
  null: () => '"null"',
  array,
  object,
};

function impliedType(schema: Schema): string | undefined {
  if ('properties' in schema || 'required' in schema) return 'object';
  if ('items' in schema || 'prefixItems' in schema) return 'array';
  if ('pattern' in schema || 'minLength' in schema || 'maxLength' in schema) return 'string';
  if ('minimum' in schema || 'maximum' in schema) return 'number';
  return undefined;
}

/** A rule of its own, so that a schema may contain itself; a reference that leads nowhere is any JSON. */
function reference(pointer: string, rules: Rules, depth: number): string {
  const known = rules.byPointer.get(pointer);
  if (known !== undefined) return known;
  const target = resolve(rules.root, pointer);
  if (target === undefined) return 'value';
  const name = `ref-${rules.byPointer.size}`;
  rules.byPointer.set(pointer, name);
  addRule(rules, name, expression(target, rules, depth + 1));
  return name;
}

function resolve(root: Json, pointer: string): Json | undefined {
  if (pointer !== '#' && !pointer.startsWith('#/')) return undefined;
  let at: Json | undefined = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(key)];
    else at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

/** One schema that holds what all of them ask for; of two different bounds the later one counts. */
function merged(base: Schema, parts: readonly Json[], rules: Rules): Schema {
  const { allOf: _, ...rest } = base;
  let result: Schema = rest;
  for (const given of parts) {
    const part =
      isObject(given) && typeof given['$ref'] === 'string' ? resolve(rules.root, given['$ref']) : given;
    if (!isObject(part)) continue;
    result = {
      ...result,
      ...part,
      ...bothObjects('properties', result, part),
      ...(Array.isArray(result['required']) &&
        Array.isArray(part['required']) && { required: [...result['required'], ...part['required']] }),
    };
  }
  return result;
}

function bothObjects(key: string, left: Schema, right: Schema): Schema {
  const [a, b] = [left[key], right[key]];
  return isObject(a) && isObject(b) ? { [key]: { ...a, ...b } } : {};
}

function string(schema: Schema): string {
  const { format, pattern } = schema;
  const source = typeof pattern === 'string' ? pattern : FORMATS[typeof format === 'string' ? format : ''];
  const body = source === undefined ? undefined : patternGrammar(source);
  if (body !== undefined) return `"\\"" ${body} "\\""`;
  const min = Math.min(numeric(schema['minLength']) ?? 0, REPETITIONS_MAX);
  const max = Math.min(numeric(schema['maxLength']) ?? Math.max(STRING_CHARACTERS_MAX, min), REPETITIONS_MAX);
  return `"\\"" char{${min},${Math.max(min, max)}} "\\""`;
}

function bounds(schema: Schema): Bounds {
  return {
    min: numeric(schema['minimum']),
    max: numeric(schema['maximum']),
    above: numeric(schema['exclusiveMinimum']),
    below: numeric(schema['exclusiveMaximum']),
    multipleOf: numeric(schema['multipleOf']),
  };
}

function array(schema: Schema, rules: Rules, depth: number): string {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const first = prefix.map((item) => expression(item, rules, depth + 1));
  const min = Math.min(numeric(schema['minItems']) ?? 0, REPETITIONS_MAX);
  const max = Math.min(numeric(schema['maxItems']) ?? Math.max(ITEMS_MAX, min), REPETITIONS_MAX);
  if (max === 0) return '"[]"';
  const more =
    schema['items'] === false
      ? undefined
      : addRule(rules, 'item', expression(schema['items'], rules, depth + 1));
  return `"[" ${sequence(first, more, { min, max })} "]"`;
}

/** `first` in order, then any number of `more`, between `min` and `max` in all. */
function sequence(
  first: readonly string[],
  more: string | undefined,
  { min, max }: { min: number; max: number },
): string {
  if (first.length === 0) {
    if (more === undefined) return '';
    const some = `${more} (", " ${more}){${Math.max(min - 1, 0)},${Math.max(max - 1, 0)}}`;
    return min > 0 ? some : `(${some})?`;
  }
  const head = first.slice(0, max).join(' ", " ');
  const left = Math.max(max - first.length, 0);
  if (more === undefined || left === 0) return head;
  return `${head} (", " ${more}){${Math.max(min - first.length, 0)},${left}}`;
}

function object(schema: Schema, rules: Rules, depth: number): string {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required'])
    ? schema['required'].filter((name) => typeof name === 'string')
    : [];
  const names = [...new Set([...Object.keys(properties), ...required])];
  if (names.length === 0) return map(schema, rules, depth);
  const pairs = names
    .filter((name) => !isImpossible(properties[name]))
    .map((name) => ({
      isRequired: required.includes(name),
      text: addRule(rules, 'pair', `${literal(name)} ": " ${expression(properties[name], rules, depth + 1)}`),
    }));
  return `"{" ${members(pairs, rules)} "}"`;
}

/** Properties in the schema's order, optional ones left out at will, with commas only between. */
function members(pairs: readonly { isRequired: boolean; text: string }[], rules: Rules): string {
  let afterNone = '""';
  let afterSome = '""';
  for (const { isRequired, text } of pairs.toReversed()) {
    const first = `${text} ${afterSome}`;
    const next = `", " ${text} ${afterSome}`;
    afterNone = addRule(rules, 'none', isRequired ? first : `${first} | ${afterNone}`);
    afterSome = addRule(rules, 'some', isRequired ? next : `${next} | ${afterSome}`);
  }
  return afterNone;
}

/** An object whose keys are free. */
function map(schema: Schema, rules: Rules, depth: number): string {
  const of = schema['additionalProperties'];
  const min = Math.min(numeric(schema['minProperties']) ?? 0, ENTRIES_MAX);
  if (of === false) return '"{}"';
  const entry = addRule(rules, 'entry', `"\\"" [a-zA-Z_]{1,32} "\\": " ${expression(of, rules, depth + 1)}`);
  const max = Math.min(numeric(schema['maxProperties']) ?? ENTRIES_MAX, ENTRIES_MAX);
  return max === 0 ? '"{}"' : `"{" ${sequence([], entry, { min, max })} "}"`;
}

function addRule(rules: Rules, kind: string, body: string): string {
  const name = kind.startsWith('ref-') ? kind : `${kind}-${rules.lines.length}`;
  const line = `${name} ::= ${body}`;
  rules.lines.push(line);
  rules.characters += line.length;
  return name;
}

function oneOf(choices: readonly string[]): string {
  return choices.length === 0 ? 'value' : `(${choices.join(' | ')})`;
}

/** JSON text as a GBNF literal; both escape alike, but GBNF knows only these escapes. */
function literal(value: Json): string {
  const text = spaced(value);
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function spaced(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, of]) => `${JSON.stringify(key)}: ${spaced(of)}`);
  return `{${entries.join(', ')}}`;
}

const numeric = (value: Json | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** `false` and its other spellings: no value fits, so an optional property of that kind is never written. */
function isImpossible(schema: Json | undefined): boolean {
  if (schema === false) return true;
  if (!isObject(schema)) return false;
  const { not } = schema;
  return not === true || (isObject(not) && Object.keys(not).length === 0);
}

function isObject(value: Json | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
