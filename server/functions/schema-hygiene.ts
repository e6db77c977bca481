import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Fault } from '../kernel/errors.ts';
import { SCHEMA_LIMITS } from './limits.ts';
import { mayBacktrackCatastrophically } from './pattern-safety.ts';
import type { Json } from './spec.ts';

type JsonObject = { readonly [key: string]: Json };

const DRAFT_2020 = 'https://json-schema.org/draft/2020-12/schema';

/** Keywords that hold one schema, a list of schemas, or schemas by name; and those that hold plain values. */
const SCHEMA_KEYWORDS = new Set(
  'additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
);
const LIST_KEYWORDS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const MAP_KEYWORDS = new Set(['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']);
const VALUE_KEYWORDS = new Set(
  (
    '$anchor $comment $ref const contentEncoding contentMediaType default dependentRequired deprecated description ' +
    'enum examples exclusiveMaximum exclusiveMinimum maxContains maxItems maxLength maxProperties maximum minContains ' +
    'minItems minLength minProperties minimum multipleOf pattern readOnly required title type uniqueItems writeOnly'
  ).split(' '),
);

const JSON_TYPES = ['object', 'array', 'string', 'number', 'boolean', 'null'];
/** Type names that other schema dialects use. */
const TYPE_ALIASES: Readonly<Record<string, string>> = {
  float: 'number',
  double: 'number',
  int: 'integer',
  long: 'integer',
  bool: 'boolean',
};

/** Either a schema that every public SDK can use, or what has to change; pointers start at `pointer`. */
export type CleanSchema =
  | { readonly schema: Json; readonly faults?: never }
  | { readonly faults: readonly Fault[] };

/** One for all, because it is costly to compile; what it checks it does not keep. */
const metaschema = new Ajv2020({ logger: false });

/**
 * Brings an uploaded JSON Schema into the form that strict Ajv 2020 and Python's jsonschema both take: no null,
 * unknown or `format` keywords, no other draft, standard type names, a type at the top. Compiling it proves it.
 */
export function cleanSchema(raw: Json, pointer: string): CleanSchema {
  const cleaner = new SchemaCleaner();
  const cleaned = cleaner.clean(raw, pointer, 0);
  if (cleaner.faults.length > 0) return { faults: cleaner.faults };
  if (!isObject(raw) || !isObject(cleaned)) return fault(pointer, 'The schema of a body is an object.');
  const schema = withTopLevel(cleaned, raw);
  if (encodeSchema(schema).length > SCHEMA_LIMITS.encodedBytesMax) {
    return fault(
      pointer,
      `The schema is larger than ${SCHEMA_LIMITS.encodedBytesMax / 1024} KiB. Simplify it.`,
    );
  }
  try {
    // The metaschema is no asynchronous one: faults are thrown at once.
    void metaschema.validateSchema(schema as object, true);
    new Ajv2020({ logger: false, meta: false, validateSchema: false }).compile(schema as object);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 300) : 'it does not compile';
    return fault(pointer, `The JSON Schema (draft 2020-12) cannot be used: ${reason}.`);
  }
  return { schema };
}

/** Standard base64 of the schema's JSON with every non-ASCII character escaped: one SDK decodes it as Latin-1. */
export function encodeSchema(schema: Json | object): string {
  const ascii = JSON.stringify(schema).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(ascii, 'latin1').toString('base64');
}

/** A clean schema as part of a larger one, where it stands at `place` (`#/properties/body`): its references follow it. */
export function nestSchema(schema: Json, place: string): Json {
  if (!isObject(schema)) return schema;
  const nested = Object.entries(schema)
    .filter(([keyword]) => keyword !== '$schema')
    .map(([keyword, value]) => [keyword, nestKeyword(keyword, value, place)] as const);
  return Object.fromEntries(nested);
}

function nestKeyword(keyword: string, value: Json, place: string): Json {
  if (keyword === '$ref' && typeof value === 'string') return value.replace(/^#(?=\/|$)/, place);
  if (SCHEMA_KEYWORDS.has(keyword)) return nestSchema(value, place);
  if (LIST_KEYWORDS.has(keyword) && Array.isArray(value))
    return value.map((schema: Json) => nestSchema(schema, place));
  if (!MAP_KEYWORDS.has(keyword) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, nestSchema(schema, place)]));
}

/** Whether any `type` is a list: the public command line cannot decode such schemas outside the encoded form. */
export function hasUnionType(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.some(hasUnionType);
  if (!isObject(schema)) return false;
  return Array.isArray(schema['type']) || Object.values(schema).some(hasUnionType);
}

function fault(pointer: string, message: string): CleanSchema {
  return { faults: [{ pointer, message }] };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class SchemaCleaner {
  readonly faults: Fault[] = [];
  #keywords = 0;

  clean(raw: Json, pointer: string, depth: number): Json {
    if (typeof raw === 'boolean') return raw;
    if (!isObject(raw)) return this.#refuse(pointer, 'A JSON Schema is an object.');
    if (depth > SCHEMA_LIMITS.depthMax) {
      return this.#refuse(pointer, `The schema is nested more than ${SCHEMA_LIMITS.depthMax} levels deep.`);
    }
    this.#keywords += Object.keys(raw).length;
    if (this.#keywords > SCHEMA_LIMITS.keywordsMax) {
      return this.#refuse(pointer, `The schema has more than ${SCHEMA_LIMITS.keywordsMax} keywords.`);
    }
    const cleaned: Record<string, Json> = {};
    for (const [keyword, value] of Object.entries(raw)) {
      const kept =
        value === null && keyword !== 'const' && keyword !== 'default'
          ? undefined
          : this.#keyword(keyword, value, { pointer, depth });
      if (kept !== undefined)
        cleaned[keyword === 'items' && Array.isArray(kept) ? 'prefixItems' : keyword] = kept;
    }
    return withNullable(withoutIdleCondition(cleaned), raw);
  }

  #keyword(keyword: string, value: Json, at: { pointer: string; depth: number }): Json | undefined {
    const pointer = `${at.pointer}/${escapePointer(keyword)}`;
    const child = (raw: Json, path: string) => this.clean(raw, `${pointer}${path}`, at.depth + 1);
    const list = (items: readonly Json[]) => items.map((item, index) => child(item, `/${index}`));
    // Before draft 2020-12 a list of `items` was what is now `prefixItems`.
    if (LIST_KEYWORDS.has(keyword) || (keyword === 'items' && Array.isArray(value))) {
      return Array.isArray(value)
        ? list(value)
        : this.#refuse(pointer, 'This keyword holds a list of schemas.');
    }
    if (SCHEMA_KEYWORDS.has(keyword)) return child(value, '');
    if (MAP_KEYWORDS.has(keyword)) {
      if (!isObject(value)) return this.#refuse(pointer, 'This keyword holds schemas by name.');
      const schemas = Object.entries(value).filter(([, schema]) => schema !== null);
      if (keyword === 'patternProperties')
        for (const [pattern] of schemas) this.#checkPattern(pattern, pointer);
      return Object.fromEntries(
        schemas.map(([name, schema]) => [name, child(schema, `/${escapePointer(name)}`)]),
      );
    }
    return VALUE_KEYWORDS.has(keyword) ? this.#value(keyword, value, pointer) : undefined;
  }

  #value(keyword: string, value: Json, pointer: string): Json | undefined {
    if (keyword === 'type') return this.#type(value, pointer);
    if (keyword === 'pattern') this.#checkPattern(value, pointer);
    if (keyword === '$ref' && !(typeof value === 'string' && value.startsWith('#'))) {
      return this.#refuse(
        pointer,
        'Only references within the schema ("#/$defs/…") can be used; nothing is fetched.',
      );
    }
    if (keyword === 'enum' && Array.isArray(value) && value.length > SCHEMA_LIMITS.enumMax) {
      return this.#refuse(pointer, `An enum has at most ${SCHEMA_LIMITS.enumMax} values.`);
    }
    return value;
  }

  #type(value: Json, pointer: string): Json | undefined {
    const names = Array.isArray(value) ? value : [value];
    const types = names.map((name) =>
      typeof name === 'string' ? (TYPE_ALIASES[name.toLowerCase()] ?? name) : name,
    );
    for (const type of types) {
      if (typeof type !== 'string' || !(JSON_TYPES.includes(type) || type === 'integer')) {
        return this.#refuse(pointer, `A type is one of ${JSON_TYPES.join(', ')}, integer.`);
      }
    }
    const unique = [...new Set(types)];
    return unique.length === 1 ? unique[0] : unique;
  }

  #checkPattern(pattern: Json, pointer: string): void {
    if (typeof pattern !== 'string' || pattern.length > SCHEMA_LIMITS.patternLengthMax) {
      this.#refuse(pointer, `A pattern is text of at most ${SCHEMA_LIMITS.patternLengthMax} characters.`);
    } else if (mayBacktrackCatastrophically(pattern)) {
      this.#refuse(
        pointer,
        'This pattern can take exponential time: repeat no group that itself repeats or branches.',
      );
    }
  }

  #refuse(pointer: string, message: string): null {
    if (this.faults.length < 50) this.faults.push({ pointer, message });
    return null;
  }
}

/** `then` and `else` mean nothing without `if` and the reverse; strict Ajv refuses them. */
function withoutIdleCondition(schema: Record<string, Json>): Record<string, Json> {
  const { if: condition, then: consequent, else: alternative, ...rest } = schema;
  const complete = condition !== undefined && (consequent !== undefined || alternative !== undefined);
  return complete ? schema : rest;
}

/** OpenAPI's `nullable: true` becomes a union with null. */
function withNullable(schema: Record<string, Json>, raw: JsonObject): Json {
  const { type } = schema;
  if (raw['nullable'] !== true || type === undefined) return schema;
  return { ...schema, type: [...new Set([...(Array.isArray(type) ? type : [type]), 'null'])] };
}

function withTopLevel(cleaned: JsonObject, raw: JsonObject): JsonObject {
  const draft = raw['$schema'] === DRAFT_2020 ? { $schema: DRAFT_2020 } : {};
  return { ...draft, ...cleaned, type: cleaned['type'] ?? inferType(cleaned) ?? JSON_TYPES };
}

const TYPE_HINTS: readonly [RegExp, string][] = [
  [
    /^(properties|required|additionalProperties|patternProperties|propertyNames|dependent\w+|m\w{2}Properties)$/,
    'object',
  ],
  [/^(items|prefixItems|contains|uniqueItems|m\w{2}Items)$/, 'array'],
  [/^(pattern|m\w{2}Length)$/, 'string'],
  [/^(minimum|maximum|exclusive\w+|multipleOf)$/, 'number'],
];

/** Python's SDK needs a type at the top; it follows from the other keywords, or from all branches alike. */
function inferType(schema: JsonObject): Json | undefined {
  for (const [keywords, type] of TYPE_HINTS) {
    if (Object.keys(schema).some((keyword) => keywords.test(keyword))) return type;
  }
  const values = 'const' in schema ? [schema['const'] ?? null] : schema['enum'];
  if (Array.isArray(values) && values.length > 0) return oneOrMany(values.map(typeOfValue));
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const branches = schema[keyword];
    if (!Array.isArray(branches)) continue;
    const types = branches.map((branch: Json) => (isObject(branch) ? branch['type'] : undefined));
    if (
      types.every((type) => typeof type === 'string') &&
      (keyword !== 'allOf' || new Set(types).size === 1)
    ) {
      return oneOrMany(types);
    }
  }
  return undefined;
}

function oneOrMany(types: readonly string[]): Json {
  const unique = [...new Set(types)];
  return unique.length === 1 ? (unique[0] ?? null) : unique;
}

function typeOfValue(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
