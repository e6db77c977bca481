/** What people read of a JSON Schema (2020-12 and the drafts before it that authors still write). */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly nullable?: boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly $ref?: string;
}

/** Deeper than people write; references may go round in circles. */
export const SCHEMA_DEPTH_MAX = 8;

/** An object, whatever it holds: authors' schemas are checked at deploy, but not for being wise. */
export function asSchema(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};
}

/** The schema that a local reference, `#/$defs/name`, stands for; itself where there is none. */
export function dereference(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const { $ref, ...beside } = schema;
  if ($ref === undefined || !$ref.startsWith('#/')) return schema;
  const steps = $ref
    .slice(2)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const target = steps.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[step] : undefined),
    root,
  );
  return { ...asSchema(target), ...beside };
}

/** The types that a value may have; `null` set apart, because it is no type to fill in. */
export function typesOf(schema: JsonSchema): {
  readonly types: readonly string[];
  readonly isNullable: boolean;
} {
  const named = schema.type === undefined ? guessedTypes(schema) : [schema.type].flat();
  return {
    types: named.filter((type) => type !== 'null'),
    isNullable: named.includes('null') || schema.nullable === true || (schema.enum ?? []).includes(null),
  };
}

function guessedTypes({ properties, items }: JsonSchema): readonly string[] {
  if (properties !== undefined) return ['object'];
  return items === undefined ? [] : ['array'];
}

/** The author's example for a value, if there is one. */
export function exampleOf(schema: JsonSchema): unknown {
  return schema.examples?.[0] ?? schema.example ?? schema.default;
}
