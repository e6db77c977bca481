import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Json, type BodySpec } from '../../functions/spec.ts';
import type { LibraryFunction } from '../../functions/functions.ts';
import { MEMBER_KEY, greeter } from '../testing/fakes.ts';
import { type RunningGateway, startGateway } from '../testing/start.ts';

/**
 * What the unmodified public clients can decode, as deep as they look: the Go command line fails a whole answer on
 * one wrong type, the Python SDK on one explicit null, the Node SDK decodes base64 as Latin-1.
 */

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

type Decoder = (value: unknown, path: string) => void;

function must(holds: boolean, path: string, what: string): void {
  if (!holds) throw new Error(`${path} is not ${what}`);
}

/** encoding/json: null and absent leave the zero value, anything else must have the field's type. */
const nullable =
  (decode: Decoder): Decoder =>
  (value, path) => {
    if (value !== null && value !== undefined) decode(value, path);
  };
const string = nullable((value, path) => must(typeof value === 'string', path, 'a string'));
const bool = nullable((value, path) => must(typeof value === 'boolean', path, 'a bool'));
const int = nullable((value, path) => must(Number.isSafeInteger(value), path, 'an int'));
const raw: Decoder = () => undefined;
const time = nullable((value, path) =>
  must(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(String(value)),
    path,
    'RFC 3339 with zone',
  ),
);
const bytes = nullable((value, path) =>
  must(
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(String(value)),
    path,
    'base64',
  ),
);
const list = (decode: Decoder): Decoder =>
  nullable((value, path) => {
    must(Array.isArray(value), path, 'a slice');
    for (const [index, entry] of (value as unknown[]).entries()) decode(entry, `${path}/${index}`);
  });
/** Keys match without regard to case; unknown ones are ignored. */
const struct = (fields: Record<string, Decoder>): Decoder =>
  nullable((value, path) => {
    must(typeof value === 'object' && !Array.isArray(value), path, 'an object');
    for (const [key, entry] of Object.entries(value as object)) {
      const name = Object.keys(fields).find((field) => field.toLowerCase() === key.toLowerCase());
      if (name !== undefined) fields[name]?.(entry, `${path}/${key}`);
    }
  });
const map = (decode: Decoder): Decoder =>
  nullable((value, path) => {
    for (const [key, entry] of Object.entries(value as object)) decode(entry, `${path}/${key}`);
  });

const lazySchema: Decoder = (value, path) => {
  if (typeof value !== 'boolean') jsonSchema(value, path);
};
const jsonSchema = struct({
  $schema: string,
  $defs: map(lazySchema),
  type: string,
  properties: map(lazySchema),
  patternProperties: map(lazySchema),
  items: lazySchema,
  additionalProperties: lazySchema,
  anyOf: list(lazySchema),
  oneOf: list(lazySchema),
  allOf: list(lazySchema),
  required: list(string),
  minLength: int,
  maxLength: int,
  pattern: string,
  title: string,
  description: string,
});

const queryParams = list(struct({ name: string, required: bool, description: string, exampleData: string }));
const requirements = struct({
  requestType: string,
  inputType: string,
  outputType: string,
  queryParams,
  inputSchema: raw,
  inputJsonSchema: jsonSchema,
  inputJsonSchemaEncoded: string,
  inputJsonExample: string,
  outputSchema: raw,
  outputJsonSchema: jsonSchema,
  outputJsonSchemaEncoded: string,
  outputJsonExample: string,
  inputFileSchemaEncoded: string,
  outputFileSchemaEncoded: string,
});
const badBuilds = list(
  struct({ createdAt: time, buildId: string, name: string, functionId: string, errorDetails: string }),
);
const GO = {
  library: struct({
    count: int,
    badBuilds,
    uniqueTags: list(string),
    libraryItem: list(
      struct({
        createdAt: time,
        name: string,
        description: string,
        owner: string,
        ownerDescription: string,
        functionId: string,
        versions: int,
        lastRelease: time,
        active: bool,
        published: bool,
        sizes: list(struct({ size: string, invocationCount: int, avgResponseTime: int })),
        avgRating: int,
        ratingCount: int,
        readmeFile: bytes,
        tags: list(string),
        ai: bool,
      }),
    ),
  }),
  details: struct({
    createdAt: time,
    updatedAt: time,
    name: string,
    functionId: string,
    owner: string,
    ownerDescription: string,
    versionCount: int,
    active: bool,
    published: bool,
    avgRating: int,
    ratingCount: int,
    tags: list(string),
    ai: bool,
    versions: list(
      struct({
        version: int,
        latest: bool,
        releaseDate: time,
        runtime: string,
        requirements,
        sizes: list(struct({ size: string, functionId: string })),
        languageSamples: list(raw),
        changeLog: string,
        changeLogDetails: struct({ date: string, added: bytes, updated: bytes, removed: bytes }),
        readmeFile: string,
        entryPoint: string,
        description: string,
      }),
    ),
  }),
  badBuilds: struct({ count: int, badBuilds }),
  entities: struct({
    entities: list(struct({ name: string, email: string, createdAt: time, updatedAt: time })),
  }),
  token: struct({ token: string, expiry: string }),
};

const SCHEMAS: Record<string, Json> = {
  plain: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
  'with a union': { type: 'object', properties: { a: { type: ['string', 'null'] } } },
  'with a nested union': { type: 'array', items: { anyOf: [{ type: ['integer', 'string'] }] } },
  'with non-ASCII text': { type: 'object', description: 'grüßt 🙂' },
};

function withBodies(input: BodySpec, output: BodySpec): LibraryFunction {
  const base = greeter();
  return {
    ...base,
    versions: base.versions.map((version) => ({ ...version, spec: { ...version.spec, input, output } })),
  };
}

const jsonBody = (schema: Json): BodySpec => ({
  type: 'JSON',
  schema,
  example: '{"a":"ö"}',
  description: '',
});
const FILE: BodySpec = {
  type: 'FILE',
  schema: { extensions: ['pdf'], required: true, description: 'Größe' },
  description: '',
};
const NONE: BodySpec = { type: 'NONE' };
const FUNCTIONS: [string, LibraryFunction][] = [
  ['the greeter', greeter()],
  ...Object.entries(SCHEMAS).map(([what, schema]): [string, LibraryFunction] => [
    `JSON ${what}`,
    withBodies(jsonBody(schema), jsonBody(schema)),
  ]),
  ['a file in and out', withBodies(FILE, FILE)],
  ['no body at all', withBodies(NONE, NONE)],
  ['no query parameters', withoutQuery()],
];

function withoutQuery(): LibraryFunction {
  const base = greeter();
  return {
    ...base,
    versions: base.versions.map((version) => ({
      ...version,
      readme: '',
      changelogText: '',
      changelog: null,
      spec: { ...version.spec, queryParams: [] },
    })),
  };
}

async function answer(path: string): Promise<unknown> {
  const response = await running.fetch(path);
  expect(response.status).toBe(200);
  return response.json();
}

describe('the Go command line', () => {
  it.each(FUNCTIONS)('decodes library and details of a function with %s', async (_what, fn) => {
    running.fakes.functions.stored.set('greeter', fn);
    GO.library(await answer('/core-service/v1/library'), '');
    const details = await answer('/core-service/v1/library/greeter');
    GO.details(details, '');
    const found = (details as { versions: { requirements: Record<string, unknown> }[] }).versions[0];
    // Printing dereferences the example whenever the encoded schema is there.
    if (found?.requirements['outputJsonSchemaEncoded'] !== undefined)
      expect(found.requirements['outputJsonExample']).toBeTypeOf('string');
    if (found?.requirements['inputJsonExample'] !== undefined)
      bytes(found.requirements['inputJsonExample'], '/inputJsonExample');
  });

  it('decodes bad builds, users and the token', async () => {
    GO.badBuilds(await answer('/core-service/v1/badbuilds'), '');
    GO.entities(await answer('/core-service/v1/entity'), '');
    GO.token(await answer('/auth-service/v1/validate'), '');
  });

  it('would not decode a union type, a fraction, a bare date or unpadded base64 (the checks themselves bite)', () => {
    expect(() => jsonSchema({ type: ['string', 'null'] }, '')).toThrow('a string');
    expect(() => GO.library({ count: 4.5 }, '')).toThrow('an int');
    expect(() => GO.badBuilds({ badBuilds: [{ createdAt: '2026-11-23' }] }, '')).toThrow('RFC 3339');
    expect(() => GO.library({ libraryItem: [{ readmeFile: 'YQ' }] }, '')).toThrow('base64');
  });

  it('gets the readable JSON schema only where a struct can hold it', async () => {
    running.fakes.functions.stored.set(
      'greeter',
      withBodies(jsonBody(SCHEMAS['with a union'] ?? {}), jsonBody(SCHEMAS['plain'] ?? {})),
    );
    const { versions } = (await answer('/core-service/v1/library/greeter')) as {
      versions: { requirements: Record<string, unknown> }[];
    };
    expect(versions[0]?.requirements).not.toHaveProperty('inputJsonSchema');
    expect(versions[0]?.requirements).toMatchObject({
      inputSchema: SCHEMAS['with a union'],
      inputJsonSchemaEncoded: expect.any(String),
      outputJsonSchema: SCHEMAS['plain'],
    });
  });
});

describe('the SDKs', () => {
  it.each(FUNCTIONS)('use the lookup of a function with %s', async (_what, fn) => {
    running.fakes.functions.stored.set('greeter', fn);
    const { dns, requirements: found } = (await answer('/auth-service/v1/lookup?id=greeter')) as {
      dns: string;
      requirements: Record<string, unknown>;
    };
    expect(new URL(dns).search).toBe('');
    // pydantic: optional fields may be absent but never null; the Node SDK refuses a missing inputType.
    expect(
      JSON.stringify(found, (key, value: unknown) => (/[sS]chema$/.test(key) ? 0 : value)),
    ).not.toContain('null');
    expect(found['requestType']).toMatch(/^(GET|POST|PUT|DELETE)$/);
    expect(found['inputType']).toMatch(/^(NONE|JSON|FILE)$/);
    expect(found['outputType']).toMatch(/^(NONE|JSON|FILE)$/);
    queryParams(found['queryParams'], '/queryParams');
    for (const place of ['input', 'output']) {
      const encoded = found[`${place}SchemaEncoded`] as string | undefined;
      expect(encoded !== undefined).toBe(found[`${place}Type`] !== 'NONE');
      if (encoded === undefined) continue;
      bytes(encoded, place);
      // atob gives Latin-1: only pure ASCII survives it.
      const decoded = atob(encoded);
      expect(/^[\x20-\x7e]*$/.test(decoded)).toBe(true);
      expect(JSON.parse(decoded)).toEqual(found[`${place}Schema`]);
      if (found[`${place}Type`] === 'FILE')
        expect(JSON.parse(decoded)).toMatchObject({ extensions: ['pdf'], required: true });
    }
  });

  it('get 404 for another account’s private function', async () => {
    const response = await running.fetch('/auth-service/v1/lookup?id=greeter', {
      headers: { 'x-jf-apikey': MEMBER_KEY },
    });
    expect(response.status).toBe(404);
  });
});
