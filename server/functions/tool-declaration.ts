import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Fault } from '../kernel/errors.ts';
import { encodeSchema, nestSchema } from './schema-hygiene.ts';
import type { FileSchema, FunctionSpec, Json, QueryParameter } from './spec.ts';

/** A function as models see it. */
export interface FunctionDeclaration {
  /** The shortname. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema (2020-12) of the flat arguments: query parameters by name, the JSON body under `body`, a file under `file`. */
  readonly parameters: Json;
}

/** Either the declaration, or why the requirements cannot become one. */
export type DeclaredTool =
  | { readonly declaration: FunctionDeclaration; readonly fault?: never }
  | { readonly declaration?: never; readonly fault: Fault };

/** What every provider takes as the name of an argument. */
export const ARGUMENT_NAME = /^(?!__proto__$)[A-Za-z0-9_.-]{1,64}$/;
/** The least that providers allow. */
export const DESCRIPTION_LENGTH_MAX = 1024;

export function toolDeclarationOf(spec: FunctionSpec): DeclaredTool {
  const { input, queryParams, shortname } = spec;
  const bodyName = { NONE: undefined, JSON: 'body', FILE: 'file' }[input.type];
  for (const [index, { name }] of queryParams.entries()) {
    const message = !ARGUMENT_NAME.test(name)
      ? 'Models only take names of 1 to 64 of A-Z, a-z, 0-9, "_", "-" and "."'
      : name === bodyName
        ? `Models give the request's body under the name ${name}; choose another one here.`
        : undefined;
    if (message !== undefined)
      return { fault: { pointer: `/requirements/queryParams/${index}/name`, message } };
  }
  const properties: [string, Json][] = queryParams.map((parameter) => [parameter.name, queryText(parameter)]);
  const required = queryParams.filter((parameter) => parameter.required).map(({ name }) => name);
  if (input.type === 'JSON') {
    properties.push(['body', nestSchema(input.schema, '#/properties/body')]);
    required.push('body');
  } else if (input.type === 'FILE') {
    properties.push(['file', file(input.schema)]);
    if (input.schema.required) required.push('file');
  }
  const parameters = {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  };
  return { declaration: { name: shortname, description: describe(spec), parameters } };
}

/** Base64 of the declaration, as the library answers it; undefined for a function that cannot be a tool. */
export function encodedDeclaration(spec: FunctionSpec): string | undefined {
  const { declaration } = toolDeclarationOf(spec);
  return declaration && encodeSchema(declaration);
}

/** What keeps a function that says of itself that it is made for AI from being a tool; empty when nothing does. */
export function toolFaults(spec: FunctionSpec): readonly Fault[] {
  const { declaration, fault } = toolDeclarationOf(spec);
  if (declaration === undefined) return [fault];
  try {
    new Ajv2020({ logger: false }).compile(declaration.parameters as object);
    return [];
  } catch {
    return [{ pointer: '/requirements', message: 'These requirements give no usable tool for models.' }];
  }
}

function describe({ name, description, queryParams }: FunctionSpec): string {
  const sentences = [description === '' ? name : `${name}: ${description}`];
  if (queryParams.length > 0) {
    const names = queryParams.map((param) => (param.required ? param.name : `${param.name} (optional)`));
    sentences.push(`Query parameters: ${names.join(', ')}.`);
  }
  return sentences.join('\n').slice(0, DESCRIPTION_LENGTH_MAX);
}

function queryText({ name, description, exampleData }: QueryParameter): Json {
  const example = exampleData.startsWith(`${name}=`) ? exampleData.slice(name.length + 1) : exampleData;
  return {
    type: 'string',
    ...(description !== '' && { description }),
    ...(example !== '' && { examples: [example] }),
  };
}

function file({ extensions, description }: FileSchema): Json {
  const endings = extensions.map((extension) => extension.replaceAll(/[.+-]/g, '\\$&'));
  return {
    type: 'object',
    ...(description !== '' && { description }),
    properties: {
      name: {
        type: 'string',
        description: `File name ending in ${extensions.map((extension) => `.${extension}`).join(' or ')}`,
        pattern: `\\.(?:${endings.join('|')})$`,
      },
      base64: {
        type: 'string',
        description: "The file's bytes in base64",
        pattern: '^[A-Za-z0-9+/]+={0,2}$',
      },
    },
    required: ['name', 'base64'],
    additionalProperties: false,
  };
}
