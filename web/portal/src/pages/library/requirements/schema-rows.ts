import { type JsonSchema, SCHEMA_DEPTH_MAX, dereference, exampleOf, typesOf } from './json-schema.ts';

/** One line of a schema as people read it. */
export interface SchemaRow {
  /** `items[].sku`; empty for the whole. */
  readonly path: string;
  /** `string`, `array of integer`, `string or null`, … */
  readonly types: readonly string[];
  readonly required: boolean;
  readonly description: string;
  /** As JSON; empty without one. */
  readonly example: string;
  /** As authors write them: `minimum 1`, `pattern ^a`. */
  readonly limits: readonly string[];
}

const LIMITS = [
  'format',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
] as const;

/** Every value that a schema names, outermost first. */
export function schemaRows(root: JsonSchema): readonly SchemaRow[] {
  const rows: SchemaRow[] = [];
  const visit = (schema: JsonSchema, place: { path: string; required: boolean; depth: number }): void => {
    const { path, required, depth } = place;
    const whole = dereference(schema, root);
    const item = whole.items === undefined ? undefined : dereference(whole.items, root);
    if (path !== '' || whole.properties === undefined) rows.push({ path, required, ...rowOf(whole, item) });
    if (depth === SCHEMA_DEPTH_MAX) return;
    for (const [name, property] of Object.entries(whole.properties ?? {})) {
      const isRequired = whole.required?.includes(name) === true;
      visit(property, {
        path: path === '' ? name : `${path}.${name}`,
        required: isRequired,
        depth: depth + 1,
      });
    }
    for (const [name, property] of Object.entries(item?.properties ?? {})) {
      const isRequired = item?.required?.includes(name) === true;
      visit(property, { path: `${path}[].${name}`, required: isRequired, depth: depth + 1 });
    }
  };
  visit(root, { path: '', required: true, depth: 0 });
  return rows;
}

function rowOf(schema: JsonSchema, item: JsonSchema | undefined): Omit<SchemaRow, 'path' | 'required'> {
  const example = exampleOf(schema);
  return {
    types: typeNames(schema, item),
    description: schema.description ?? schema.title ?? '',
    example: example === undefined ? '' : JSON.stringify(example),
    limits: LIMITS.filter((name) => schema[name] !== undefined).map((name) => `${name} ${schema[name]}`),
  };
}

function typeNames(schema: JsonSchema, item: JsonSchema | undefined): readonly string[] {
  const values = schema.const === undefined ? schema.enum : [schema.const];
  if (values !== undefined) return values.map((value) => JSON.stringify(value));
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.flatMap((one) => typeNames(one, one.items));
  const { types, isNullable } = typesOf(schema);
  const itemTypes = item === undefined ? [] : typeNames(item, item.items);
  const names = types.map((type) =>
    type === 'array' && itemTypes.length > 0 ? `array of ${itemTypes.join(' | ')}` : type,
  );
  return [...(names.length === 0 ? ['any'] : names), ...(isNullable ? ['null'] : [])];
}
