import { asciiControls } from './context.ts';
import { printable } from './terminal.ts';

/**
 * JSON Schemas as TypeScript types. Schemas come from whoever published a function, so everything is quoted and
 * bounded: what is deeper, longer or unknown becomes `unknown`, which is always true.
 */
const DEPTH_MAX = 24;
const NODES_MAX = 2_000;
const ENUM_MAX = 100;
const COMMENT_LENGTH_MAX = 400;

type Schema = Readonly<Record<string, unknown>>;

/** The type of a JSON value that a schema (2020-12) describes. */
export function typeOfSchema(schema: unknown): string {
  let nodes = 0;
  const print: Print = (inner, depth) => {
    nodes++;
    if (!isObject(inner) || depth > DEPTH_MAX || nodes > NODES_MAX) return 'unknown';
    return printSchema(inner, { root: schema, print: (next) => print(next, depth + 1) });
  };
  return print(schema, 0);
}

type Print = (schema: unknown, depth: number) => string;

interface Printing {
  /** Where local references point into. */
  readonly root: unknown;
  readonly print: (schema: unknown) => string;
}

function printSchema(schema: Schema, { root, print }: Printing): string {
  if (typeof schema['$ref'] === 'string') return print(resolve(root, schema['$ref']));
  if ('const' in schema) return literal(schema['const']);
  const values = schema['enum'];
  if (Array.isArray(values) && values.length > 0 && values.length <= ENUM_MAX) {
    return union(values.map(literal));
  }
  const together = listOf(schema['allOf']).map(print);
  for (const keyword of ['anyOf', 'oneOf']) {
    const choices = listOf(schema[keyword]).map(print);
    if (choices.length > 0) together.push(union(choices));
  }
  // A bare type says nothing more than the schemas that refine it.
  if (together.length === 0 || hasShape(schema)) together.unshift(union(typesOf(schema, print)));
  const telling = [...new Set(together)].filter((type) => type !== 'unknown');
  return telling.length > 1 ? telling.map(grouped).join(' & ') : (telling[0] ?? 'unknown');
}

function hasShape(schema: Schema): boolean {
  return ['properties', 'required', 'items', 'prefixItems'].some((keyword) => keyword in schema);
}

function typesOf(schema: Schema, print: Printing['print']): string[] {
  const declared = schema['type'] ?? (hasShape(schema) ? impliedType(schema) : undefined);
  return (Array.isArray(declared) ? declared : [declared]).map((type) => {
    switch (type) {
      case 'object':
        return objectType(schema, print);
      case 'array':
        return arrayType(schema, print);
      case 'integer':
        return 'number';
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
        return type;
      default:
        return 'unknown';
    }
  });
}

function impliedType(schema: Schema): string {
  return 'properties' in schema || 'required' in schema ? 'object' : 'array';
}

function objectType(schema: Schema, print: Printing['print']): string {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = new Set(listOf(schema['required']).filter((name) => typeof name === 'string'));
  const names = [...new Set([...Object.keys(properties), ...required])];
  if (names.length === 0) {
    const rest = schema['additionalProperties'];
    return `Record<string, ${rest === false ? 'never' : print(rest)}>`;
  }
  return membersType(
    names.map((name) => {
      const property: unknown = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const comment = isObject(property) ? property['description'] : undefined;
      return { name, isRequired: required.has(name), type: print(property), comment };
    }),
  );
}

function arrayType(schema: Schema, print: Printing['print']): string {
  const first = listOf(schema['prefixItems']).map(print);
  const { items, minItems } = schema;
  if (first.length === 0) return `${grouped(print(items))}[]`;
  const surely = typeof minItems === 'number' ? minItems : 0;
  const elements = first.map((type, index) => (index < surely ? type : `${grouped(type)}?`));
  if (items !== false) elements.push(`...${grouped(print(items))}[]`);
  return `[${elements.join(', ')}]`;
}

export interface Member {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: string;
  readonly comment?: unknown;
}

/** An object type of these members; on several lines. */
export function membersType(members: readonly Member[]): string {
  if (members.length === 0) return '{}';
  const lines = members.map(({ name, isRequired, type, comment }) =>
    indent(`${docComment(comment)}${propertyName(name)}${isRequired ? '' : '?'}: ${type};`),
  );
  return `{\n${lines.join('\n')}\n}`;
}

/** A line that says what `text` says, or nothing. It cannot end the comment, nor steer a terminal. */
function docComment(text: unknown): string {
  if (typeof text !== 'string') return '';
  const line = printable(text).replaceAll(/\s+/g, ' ').replaceAll('*/', '*\\/').trim();
  return line === '' ? '' : `/** ${line.slice(0, COMMENT_LENGTH_MAX)} */\n`;
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

function literal(value: unknown): string {
  return asciiControls(JSON.stringify(value));
}

function union(types: readonly string[]): string {
  const different = [...new Set(types)];
  if (different.length === 0 || different.includes('unknown')) return 'unknown';
  return different.length === 1 ? (different[0] ?? 'unknown') : different.map(grouped).join(' | ');
}

/** Safe as a part of a larger type. */
function grouped(type: string): string {
  return /[|&]/.test(type) ? `(${type})` : type;
}

function indent(text: string): string {
  return `  ${text.replaceAll('\n', '\n  ')}`;
}

/** The schema at a local JSON pointer, `#/$defs/name`. */
function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decode(step).replaceAll('~1', '/').replaceAll('~0', '~');
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, key)
        ? (found as Schema)[key]
        : undefined;
  }
  return found;
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
