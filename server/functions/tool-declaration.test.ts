import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { PlatformError } from '../kernel/errors.ts';
import { parseSpec } from './parse-spec.ts';
import type { FunctionSpec } from './spec.ts';
import { encodedDeclaration, toolDeclarationOf } from './tool-declaration.ts';

function spec(requirements: object, over: object = {}): FunctionSpec {
  const base = { shortname: 'weather', name: 'Weather', runtime: 'nodejs24', entrypoint: 'Example' };
  return parseSpec(JSON.stringify({ ...base, requirements, ...over }));
}

function parametersOf(requirements: object): Record<string, never> {
  const { declaration } = toolDeclarationOf(spec(requirements));
  return declaration?.parameters as unknown as Record<string, never>;
}

function accepts(requirements: object, value: unknown): boolean {
  return new Ajv2020({ strict: true }).compile(parametersOf(requirements))(value);
}

const city = { name: 'city', required: true, description: 'Which city', exampleData: 'city=Bern' };
const schema = {
  type: 'object',
  $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, all: { $ref: '#' } } } },
  properties: { first: { $ref: '#/$defs/node' }, $ref: { type: 'string', const: '#/$defs/node' } },
  required: ['first'],
  additionalProperties: false,
};

describe('the declaration of a function as a tool', () => {
  it('has the query parameters as texts, with what the author says of them', () => {
    const { declaration } = toolDeclarationOf(
      spec({ queryParams: [city, { name: 'unit' }] }, { description: 'Tells the weather.' }),
    );
    expect(declaration).toEqual({
      name: 'weather',
      description: 'Weather: Tells the weather.\nQuery parameters: city, unit (optional).',
      parameters: {
        type: 'object',
        properties: {
          city: { type: 'string', description: 'Which city', examples: ['Bern'] },
          unit: { type: 'string' },
        },
        required: ['city'],
        additionalProperties: false,
      },
    });
  });

  it('keeps the references of a body schema pointing to what they pointed to', () => {
    const requirements = { requestType: 'POST', inputType: 'JSON', inputSchema: schema };
    expect(accepts(requirements, { body: { first: { next: { next: {} } } } })).toBe(true);
    expect(accepts(requirements, { body: { first: { next: { next: 1 } } } })).toBe(false);
    expect(accepts(requirements, { body: { first: { all: { first: {} } } } })).toBe(true);
    expect(accepts(requirements, { body: { first: { all: {} } } })).toBe(false);
    expect(accepts(requirements, { body: { first: {}, $ref: '#/$defs/node' } })).toBe(true);
  });

  it('takes a file by name and base64, and only with the extensions of the function', () => {
    const requirements = {
      requestType: 'POST',
      inputType: 'FILE',
      inputSchema: { extensions: ['pdf', 'tar.gz'], required: true, description: 'The paper' },
    };
    expect(accepts(requirements, { file: { name: 'a.pdf', base64: 'QUJD' } })).toBe(true);
    expect(accepts(requirements, { file: { name: 'a.tar.gz', base64: 'QQ==' } })).toBe(true);
    expect(accepts(requirements, { file: { name: 'a.tarxgz', base64: 'QQ==' } })).toBe(false);
    expect(accepts(requirements, { file: { name: 'a.exe', base64: 'QQ==' } })).toBe(false);
    expect(accepts(requirements, { file: { name: 'a.pdf', base64: 'not base64!' } })).toBe(false);
    expect(accepts(requirements, {})).toBe(false);
  });

  it.each([
    ['filter[name]', 'NONE'],
    ['größe', 'NONE'],
    ['__proto__', 'NONE'],
    ['body', 'JSON'],
  ])('is missing for a function whose parameter %s no model could use (input %s)', (name, inputType) => {
    const requirements = {
      inputType,
      queryParams: [{ name }],
      ...(inputType === 'JSON' && { inputSchema: { type: 'object' } }),
    };
    expect(toolDeclarationOf(spec(requirements)).fault?.pointer).toBe('/requirements/queryParams/0/name');
    expect(encodedDeclaration(spec(requirements))).toBeUndefined();
  });

  it('is required at deploy of a function that says of itself that it is made for AI', () => {
    const requirements = { queryParams: [{ name: 'filter[name]' }] };
    expect(() => spec(requirements)).not.toThrow();
    const refused = expect(() => spec(requirements, { ai: true }));
    refused.toThrow(PlatformError);
    refused.toThrow('/requirements/queryParams/0/name');
  });
});
