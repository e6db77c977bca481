import type { Fault, PlatformError } from '../kernel/errors.ts';
import { SPEC_LIMITS } from './limits.ts';
import { cleanSchema } from './schema-hygiene.ts';
import type {
  Json,
  RequestType,
  ContentType,
  QueryParameter,
  FileSchema,
  BodySpec,
  FunctionSpec,
} from './spec.ts';
import {
  readCorsOrigin,
  readEgressHost,
  readEntrypoint,
  readExample,
  readRuntime,
  readShortname,
} from './spec-fields.ts';
import {
  isAbsent,
  isObject,
  parseSpecJson,
  specError,
  SpecReader,
  type Field,
  type JsonObject,
} from './spec-reader.ts';
import { toolFaults } from './tool-declaration.ts';

const REQUEST_TYPES: readonly RequestType[] = ['GET', 'POST', 'PUT', 'DELETE'];
const CONTENT_TYPES: readonly ContentType[] = ['NONE', 'JSON', 'FILE'];
const SIZE_CODES = ['s', 'm', 'l'] as const;
const FAULTS_IN_MESSAGE = 10;

/**
 * Validates and normalises the text of a jellyspec.json, current and older key names alike. Unknown keys are
 * ignored. All faults are reported in one `functions.spec_invalid` with JSON pointers.
 */
export function parseSpec(text: string): FunctionSpec {
  const document = parseSpecJson(text);
  if (!isObject(document)) throw specError('not_json', 'jellyspec.json must hold a JSON object.');
  const reader = new SpecReader();
  const spec = readSpec(reader, document);
  if (reader.faults.length > 0) throw invalidSpec(reader.faults);
  const notForAi = spec.ai ? toolFaults(spec) : [];
  if (notForAi.length > 0) throw invalidSpec(notForAi);
  return spec;
}

/** The compatible error shape has no list of faults, so the message itself carries the first ones. */
function invalidSpec(faults: readonly Fault[]): PlatformError {
  const lines = faults.slice(0, FAULTS_IN_MESSAGE).map(({ pointer, message }) => `\n${pointer}: ${message}`);
  const more = faults.length > lines.length ? `\nand ${faults.length - lines.length} more.` : '';
  return specError(
    'invalid',
    `jellyspec.json has faults. Correct them and deploy again.${lines.join('')}${more}`,
    faults,
  );
}

function readSpec(reader: SpecReader, document: JsonObject): FunctionSpec {
  const top = reader.object({ value: document, pointer: '' });
  const shortname = readShortname(reader, top('shortname'));
  const runtime = readRuntime(reader, top('runtime'));
  return {
    name: reader.text(top('name'), SPEC_LIMITS.nameLengthMax) || shortname,
    shortname,
    runtime,
    entrypoint: readEntrypoint(reader, top('entrypoint'), runtime),
    description: reader.text(top('description'), SPEC_LIMITS.descriptionLengthMax),
    tags: reader.texts(top('tags'), SPEC_LIMITS.tagsMax, (tag) => readTag(reader, tag)),
    ai: reader.flag(top('ai'), false),
    ...readRequirements(reader, reader.object(top('requirements'))),
    sizes: readSizes(reader, top('sizes')),
    egress: reader.texts(top('egress'), SPEC_LIMITS.egressHostsMax, (host) => readEgressHost(reader, host)),
    timeoutSeconds: reader.integer(top('timeoutSeconds'), {
      min: 1,
      max: SPEC_LIMITS.timeoutSecondsMax,
      fallback: SPEC_LIMITS.timeoutSecondsDefault,
    }),
    corsOrigins: readCors(reader, top('cors')),
  };
}

type Fields = (key: string) => Field;

function readRequirements(
  reader: SpecReader,
  requirements: Fields,
): Pick<FunctionSpec, 'requestType' | 'queryParams' | 'input' | 'output'> {
  const input = readBody(reader, requirements, 'input');
  const fallback = input.type === 'NONE' ? 'GET' : 'POST';
  return {
    requestType: readChoice(reader, requirements('requestType'), REQUEST_TYPES) ?? fallback,
    queryParams: readQueryParams(reader, requirements('queryParams')),
    input,
    output: readBody(reader, requirements, 'output'),
  };
}

function readChoice<T extends string>(
  reader: SpecReader,
  field: Field,
  choices: readonly T[],
): T | undefined {
  const text = reader.text(field, 40).toUpperCase();
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined && text !== '') reader.refuse(field, `This must be one of ${choices.join(', ')}.`);
  return choice;
}

function readQueryParams(reader: SpecReader, field: Field): QueryParameter[] {
  const params = reader.list(field, SPEC_LIMITS.queryParamsMax).map((item) => {
    const param = reader.object(item);
    const name = reader.text(param('name'), SPEC_LIMITS.nameLengthMax);
    if (name === '') reader.refuse(param('name'), 'A query parameter needs a name.');
    return {
      name,
      required: reader.flag(param('required'), false),
      description: reader.text(param('description'), SPEC_LIMITS.descriptionLengthMax),
      exampleData: readExampleData(reader, param('exampleData')),
    };
  });
  if (new Set(params.map(({ name }) => name)).size < params.length) {
    reader.refuse(field, 'Two query parameters have the same name.');
  }
  return params;
}

function readExampleData(reader: SpecReader, field: Field): string {
  const scalar = typeof field.value === 'number' || typeof field.value === 'boolean';
  return reader.text(
    scalar ? { ...field, value: String(field.value) } : field,
    SPEC_LIMITS.descriptionLengthMax,
  );
}

function readBody(reader: SpecReader, requirements: Fields, side: 'input' | 'output'): BodySpec {
  const type = readChoice(reader, requirements(`${side}Type`), CONTENT_TYPES) ?? 'NONE';
  const description = reader.text(requirements(`${side}Description`), SPEC_LIMITS.descriptionLengthMax);
  const firstOf = (...keys: string[]) =>
    keys.map(requirements).find(({ value }) => !isAbsent(value)) ?? requirements(`${side}Schema`);
  if (type === 'JSON') {
    const schema = readJsonSchema(reader, firstOf(`${side}Schema`, `${side}JsonSchema`));
    const example = readExample(reader, requirements(`${side}JsonExample`), SPEC_LIMITS.exampleLengthMax);
    return { type, schema, example, description };
  }
  if (type === 'FILE') {
    const schema = readFileSchema(reader, firstOf(`${side}Schema`, `${side}FileSchema`, `${side}File`));
    return { type, schema, description };
  }
  return { type };
}

function readJsonSchema(reader: SpecReader, field: Field): Json {
  if (isAbsent(field.value)) return reader.refuse(field, 'A JSON body needs its JSON Schema here.') ?? {};
  const cleaned = cleanSchema(field.value, field.pointer);
  if (cleaned.faults === undefined) return cleaned.schema;
  reader.faults.push(...cleaned.faults);
  return {};
}

function readFileSchema(reader: SpecReader, field: Field): FileSchema {
  const file = reader.object(field);
  const extensions = reader.texts(file('extensions'), SPEC_LIMITS.extensionsMax, (item) => {
    const extension = reader.text(item, 40).toLowerCase().replace(/^\.+/, '');
    if (/^[a-z0-9][a-z0-9.+_-]{0,19}$/.test(extension)) return extension;
    return reader.refuse(item, 'A file extension looks like pdf or tar.gz.');
  });
  // The SDKs disagree on an empty list (nothing or everything), so there must be one extension at least.
  if (extensions.length === 0)
    reader.refuse(file('extensions'), 'List the file extensions, for example ["pdf"].');
  return {
    extensions,
    required: reader.flag(file('required'), true),
    description: reader.text(file('description'), SPEC_LIMITS.descriptionLengthMax),
  };
}

function readTag(reader: SpecReader, field: Field): string | undefined {
  return (
    reader.text(field, SPEC_LIMITS.tagLengthMax) ||
    reader.refuse(field, 'A tag is text of 1 to 40 characters.')
  );
}

function readSizes(reader: SpecReader, field: Field): FunctionSpec['sizes'] {
  const sizes = reader.list(field, SIZE_CODES.length).map((item) => {
    const size = SIZE_CODES.find((code) => code === item.value);
    return size ?? reader.refuse(item, `A size is one of ${SIZE_CODES.join(', ')}.`);
  });
  const distinct = [...new Set(sizes.filter((size) => size !== undefined))];
  return distinct.length > 0 ? distinct : ['s'];
}

/** `{"origins": […]}` or the list itself. */
function readCors(reader: SpecReader, field: Field): string[] {
  const origins = isObject(field.value) ? reader.object(field)('origins') : field;
  return reader.texts(origins, SPEC_LIMITS.corsOriginsMax, (origin) => readCorsOrigin(reader, origin));
}
