import {
  type JsonSchema,
  SCHEMA_DEPTH_MAX,
  dereference,
  exampleOf,
  typesOf,
} from '../requirements/json-schema.ts';

/** What a form shows for a schema. `json`: a value that no simple field can hold, written as JSON. */
export type FormNode = {
  readonly isNullable: boolean;
  readonly description: string;
} & (
  | { readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'json' }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }
  | { readonly kind: 'list'; readonly item: FormNode }
  | {
      readonly kind: 'group';
      readonly fields: readonly {
        readonly name: string;
        readonly required: boolean;
        readonly node: FormNode;
      }[];
    }
);

/** What stands in a form so far. Every field holds text, so that half a number can stand there, too. */
export type Draft =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'null' }
  | { readonly is: 'list'; readonly items: readonly Draft[] }
  | { readonly is: 'group'; readonly fields: Readonly<Record<string, Draft>> };

const EMPTY: Draft = { is: 'text', text: '' };

export interface FormFault {
  /** JSON pointer of the field. */
  readonly pointer: string;
  readonly fault: 'missing' | 'number' | 'integer' | 'json';
}

/** The value that a form stands for, or what is wrong with it. `value` of undefined: to be left out. */
export interface FormValue {
  readonly value: unknown;
  readonly faults: readonly FormFault[];
}

export function formNode(schema: JsonSchema, root: JsonSchema = schema, depth = 0): FormNode {
  const whole = dereference(schema, root);
  const { types, isNullable } = typesOf(whole);
  const shared = { isNullable, description: whole.description ?? whole.title ?? '' };
  const values = whole.const === undefined ? whole.enum : [whole.const];
  if (values !== undefined) {
    return { ...shared, kind: 'choice', values: values.filter((value) => value !== null) };
  }
  const isPlain = (whole.anyOf ?? whole.oneOf ?? whole.allOf) === undefined && types.length === 1;
  if (!isPlain || depth === SCHEMA_DEPTH_MAX) return { ...shared, kind: 'json' };
  const form = nestedForm(whole, types[0], { root, depth: depth + 1 }) ?? simpleForm(types[0]);
  return { ...shared, ...form };
}

type Form = FormNode extends infer Node
  ? Node extends FormNode
    ? Omit<Node, 'isNullable' | 'description'>
    : never
  : never;

function simpleForm(type: string | undefined): Form {
  if (type === 'string') return { kind: 'text' };
  return { kind: type === 'number' || type === 'integer' || type === 'boolean' ? type : 'json' };
}

/** Of arrays and objects that say what is in them; undefined for everything else. */
function nestedForm(
  { items, properties, required }: JsonSchema,
  type: string | undefined,
  { root, depth }: { root: JsonSchema; depth: number },
): Form | undefined {
  if (type === 'array' && items !== undefined) return { kind: 'list', item: formNode(items, root, depth) };
  if (type !== 'object' || properties === undefined) return undefined;
  return {
    kind: 'group',
    fields: Object.entries(properties).map(([name, property]) => ({
      name,
      required: required?.includes(name) === true,
      node: formNode(property, root, depth),
    })),
  };
}

/** The form filled with a value; with the examples of the schema where there is none. */
export function draftOf(node: FormNode, value: unknown): Draft {
  if (value === null && node.isNullable) return { is: 'null' };
  if (node.kind === 'list') {
    return { is: 'list', items: Array.isArray(value) ? value.map((one) => draftOf(node.item, one)) : [] };
  }
  if (node.kind === 'group') {
    const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const fields = node.fields.map(({ name, node: field }) => [name, draftOf(field, given[name])] as const);
    return { is: 'group', fields: Object.fromEntries(fields) };
  }
  return { is: 'text', text: value === undefined ? '' : textOf(node, value) };
}

function textOf(node: FormNode, value: unknown): string {
  if (node.kind === 'choice') return String(node.values.indexOf(value));
  if (node.kind === 'text' && typeof value === 'string') return value;
  return JSON.stringify(value, null, node.kind === 'json' ? 2 : 0);
}

/** What the schema's examples and defaults say of a value; undefined where they say nothing. */
export function exampleValueOf(schema: JsonSchema, root: JsonSchema = schema, depth = 0): unknown {
  const whole = dereference(schema, root);
  const example = exampleOf(whole);
  if (example !== undefined || depth === SCHEMA_DEPTH_MAX) return example;
  const fields = Object.entries(whole.properties ?? {})
    .map(([name, property]) => [name, exampleValueOf(property, root, depth + 1)] as const)
    .filter(([, value]) => value !== undefined);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

interface Place {
  readonly required: boolean;
  readonly pointer: string;
}

/** Reads a form. What is optional and empty is left out. */
export function valueOf(
  node: FormNode,
  draft: Draft,
  place: Place = { required: true, pointer: '' },
): FormValue {
  const { required, pointer } = place;
  if (draft.is === 'null') return { value: null, faults: [] };
  if (node.kind === 'group' && draft.is === 'group') return groupValue(node, draft.fields, place);
  if (node.kind === 'list' && draft.is === 'list') {
    const items = draft.items.map((item, at) =>
      valueOf(node.item, item, { required: true, pointer: `${pointer}/${at}` }),
    );
    const value = items.length === 0 && !required ? undefined : items.map((item) => item.value);
    return { value, faults: items.flatMap(({ faults }) => faults) };
  }
  const text = draft.is === 'text' ? draft.text : '';
  if (text === '' || (text.trim() === '' && node.kind !== 'text')) {
    return { value: undefined, faults: required ? [{ pointer, fault: 'missing' }] : [] };
  }
  return scalarValue(node, text, pointer);
}

function groupValue(
  node: FormNode & { readonly kind: 'group' },
  drafts: Readonly<Record<string, Draft>>,
  { required, pointer }: Place,
): FormValue {
  const read = node.fields.map((field) => {
    const draft = drafts[field.name] ?? EMPTY;
    const place = { required: field.required, pointer: `${pointer}/${field.name}` };
    return { name: field.name, ...valueOf(field.node, draft, place) };
  });
  const given = read.filter(({ value }) => value !== undefined);
  const isWrong = read.some(({ faults }) => faults.some(({ fault }) => fault !== 'missing'));
  // An optional group that nobody began to fill in misses nothing.
  if (!required && given.length === 0 && !isWrong) return { value: undefined, faults: [] };
  return {
    value: Object.fromEntries(given.map(({ name, value }) => [name, value])),
    faults: read.flatMap(({ faults }) => faults),
  };
}

function scalarValue(node: FormNode, text: string, pointer: string): FormValue {
  const wrong = (fault: FormFault['fault']): FormValue => ({
    value: undefined,
    faults: [{ pointer, fault }],
  });
  switch (node.kind) {
    case 'number':
    case 'integer': {
      const value = Number(text.trim().replace(',', '.'));
      if (!Number.isFinite(value)) return wrong('number');
      return node.kind === 'integer' && !Number.isInteger(value) ? wrong('integer') : { value, faults: [] };
    }
    case 'boolean':
      return { value: text === 'true', faults: [] };
    case 'choice':
      return { value: node.values[Number(text)], faults: [] };
    case 'json':
      try {
        return { value: JSON.parse(text) as unknown, faults: [] };
      } catch {
        return wrong('json');
      }
    case 'text':
    case 'list':
    case 'group':
      return { value: text, faults: [] };
  }
}
