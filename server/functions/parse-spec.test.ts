import { describe, expect, it } from 'vitest';
import { PlatformError } from '../kernel/errors.ts';
import { parseSpec } from './parse-spec.ts';
import type { FunctionSpec } from './spec.ts';

const MINIMAL = { shortname: 'greeter', runtime: 'nodejs20', entrypoint: 'Example' };

const GREETER = {
  $jellyspecversion: 'v1.0.0',
  name: 'Greeter',
  shortname: 'greeter',
  runtime: 'nodejs20',
  entrypoint: 'Example',
  description: 'Greets.',
  tags: ['template'],
  requirements: {
    requestType: 'GET',
    inputType: null,
    outputType: 'JSON',
    queryParams: [{ name: 'name', required: true, description: 'whom', exampleData: 'name=foo' }],
    outputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { greeting: { type: 'string' } },
      required: ['greeting'],
    },
    outputJsonExample: '{"greeting":"hello, foo!"}',
    outputDescription: 'a greeting',
  },
};

function parse(spec: object): FunctionSpec {
  return parseSpec(JSON.stringify(spec));
}

function withRequirements(requirements: object): object {
  return { ...MINIMAL, requirements };
}

function failure(spec: object | string): PlatformError {
  try {
    parseSpec(typeof spec === 'string' ? spec : JSON.stringify(spec));
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error('the spec was accepted');
}

function pointers(spec: object): string[] {
  return failure(spec).faults.map(({ pointer }) => pointer);
}

describe('a template-shaped spec', () => {
  it('is read whole', () => {
    expect(parse(GREETER)).toEqual({
      name: 'Greeter',
      shortname: 'greeter',
      runtime: 'nodejs20',
      entrypoint: 'Example',
      description: 'Greets.',
      tags: ['template'],
      ai: false,
      requestType: 'GET',
      queryParams: [{ name: 'name', required: true, description: 'whom', exampleData: 'name=foo' }],
      input: { type: 'NONE' },
      output: {
        type: 'JSON',
        schema: GREETER.requirements.outputSchema,
        example: '{"greeting":"hello, foo!"}',
        description: 'a greeting',
      },
      sizes: ['s'],
      egress: [],
      timeoutSeconds: 60,
      corsOrigins: [],
    });
  });

  it('needs only shortname, runtime and entrypoint', () => {
    expect(parse(MINIMAL)).toMatchObject({
      name: 'greeter',
      requestType: 'GET',
      input: { type: 'NONE' },
      output: { type: 'NONE' },
    });
  });

  it('may carry unknown keys, null values and a byte order mark', () => {
    const odd = {
      ...MINIMAL,
      overload: true,
      deployAll: true,
      schemaUrl: null,
      tags: null,
      requirements: { queryParams: null, outputType: null },
    };
    expect(parseSpec(`\ufeff${JSON.stringify(odd)}`).queryParams).toEqual([]);
  });

  it('keeps its form when its own result is parsed again', () => {
    const { input, output, corsOrigins, ...once } = parse({ ...GREETER, shortname: 'gre_et er' });
    const flat = {
      ...once,
      cors: corsOrigins,
      requirements: {
        ...once,
        outputType: output.type,
        outputSchema: 'schema' in output ? output.schema : null,
        inputType: input.type,
      },
    };
    expect(parse(flat)).toMatchObject(once);
  });
});

describe('older key names are read as the current ones', () => {
  const schema = { type: 'object' };
  it('for JSON schemas', () => {
    const spec = parse(
      withRequirements({
        inputType: 'JSON',
        inputJsonSchema: schema,
        outputType: 'JSON',
        outputJsonSchema: schema,
      }),
    );
    expect(spec.input).toMatchObject({ schema });
    expect(spec.output).toMatchObject({ schema });
    expect(spec.requestType).toBe('POST');
  });
  for (const key of ['inputSchema', 'inputFileSchema', 'inputFile']) {
    it(`for files, ${key}`, () => {
      const spec = parse(
        withRequirements({
          inputType: 'file',
          [key]: { extensions: ['.PDF', 'pdf', 'Csv'], required: true, description: 'd' },
        }),
      );
      expect(spec.input).toEqual({
        type: 'FILE',
        schema: { extensions: ['pdf', 'csv'], required: true, description: 'd' },
        description: '',
      });
    });
  }
  it('and null current keys do not hide them', () => {
    const spec = parse(
      withRequirements({ outputType: 'JSON', outputSchema: null, outputJsonSchema: schema }),
    );
    expect(spec.output).toMatchObject({ schema });
  });
});

describe('shortname', () => {
  it('loses spaces and underscores', () => {
    expect(parse({ ...MINIMAL, shortname: ' do_no thing ' }).shortname).toBe('donothing');
  });
  for (const shortname of [
    'abcd',
    'a'.repeat(21),
    '-abcde',
    'abcde-',
    'Greeter',
    'gre.eter',
    'grüßer',
    '../etc',
    '',
    'a\u0000bcdef',
    5,
    null,
  ]) {
    it(`${JSON.stringify(shortname)} is refused`, () =>
      expect(pointers({ ...MINIMAL, shortname })).toContain('/shortname'));
  }
});

describe('runtime', () => {
  const aliases = {
    go121: 'go122',
    go124: 'go122',
    python311: 'python312',
    python313: 'python312',
    java17: 'java21',
    java21: 'java21',
    nodejs24: 'nodejs24',
    NodeJS22: 'nodejs22',
  };
  for (const [name, id] of Object.entries(aliases)) {
    it(`${name} means ${id}`, () => {
      expect(parse({ ...MINIMAL, runtime: name, entrypoint: 'Example' }).runtime).toBe(id);
    });
  }
  for (const runtime of ['dotnet8', 'php82', 'ruby32', 'nodejs18', 'python310', 'go120', 'cobol', '', 7]) {
    it(`${JSON.stringify(runtime)} is refused, naming the supported ones`, () => {
      const [fault] = failure({ ...MINIMAL, runtime }).faults;
      expect(fault?.pointer).toBe('/runtime');
      if (typeof runtime === 'string')
        expect(failure({ ...MINIMAL, runtime }).message).toContain('nodejs20, nodejs22');
    });
  }
});

describe('entrypoint', () => {
  const bad: [string, string][] = [
    ['nodejs22', '__w'],
    ['nodejs22', 'a b'],
    ['python312', 'my-func'],
    ['python312', '1st'],
    ['go122', ''],
    ['java21', 'jfv1..Example'],
    ['java21', 'jfv1.Example;'],
    ['java21', '-XX:OnError=x'],
  ];
  for (const [runtime, entrypoint] of bad) {
    it(`${JSON.stringify(entrypoint)} is refused for ${runtime}`, () => {
      expect(pointers({ ...MINIMAL, runtime, entrypoint })).toEqual(['/entrypoint']);
    });
  }
  it('is a class name for Java', () => {
    expect(parse({ ...MINIMAL, runtime: 'java21', entrypoint: 'jfv1.Example' }).entrypoint).toBe(
      'jfv1.Example',
    );
  });
});

describe('our extensions', () => {
  it('are read', () => {
    const spec = parse({
      ...MINIMAL,
      sizes: ['m', 's', 's'],
      egress: ['API.example.com', '*.example.org', '*', 'db.example.com:5432', '*:8443'],
      timeoutSeconds: 900,
      cors: { origins: ['https://app.example.com', 'http://localhost:3000/', '*'] },
    });
    expect(spec.sizes).toEqual(['m', 's']);
    expect(spec.egress).toEqual(['api.example.com', '*.example.org', '*', 'db.example.com:5432', '*:8443']);
    expect(spec.timeoutSeconds).toBe(900);
    expect(spec.corsOrigins).toEqual(['https://app.example.com', 'http://localhost:3000', '*']);
    expect(parse({ ...MINIMAL, cors: ['https://a.example'] }).corsOrigins).toEqual(['https://a.example']);
  });
  const hosts = [
    'https://x.example',
    'x.example/path',
    'u@x.example',
    '10.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '1.2.3.0x4',
    '[::1]',
    '::1',
    'localhost',
    'a..b',
    '-a.example',
    '*a.example',
    'a.*.example',
    'x.example:0',
    'x.example:99999',
    'x.example:http',
    '',
    `${'a'.repeat(64)}.example`,
    'bücher.example',
    5,
  ];
  for (const host of hosts) {
    it(`egress to ${JSON.stringify(host)} is refused`, () =>
      expect(pointers({ ...MINIMAL, egress: [host] })).toContain('/egress/0'));
  }
  it('egress to nowhere in particular is refused as well', () => {
    expect(pointers({ ...MINIMAL, egress: 'x.example' })).toEqual(['/egress']);
    expect(pointers({ ...MINIMAL, egress: Array.from({ length: 33 }, (_, i) => `h${i}.example`) })).toEqual([
      '/egress',
    ]);
  });
  for (const timeoutSeconds of [0, 901, 1.5, '60', -1]) {
    it(`a timeout of ${JSON.stringify(timeoutSeconds)} is refused`, () =>
      expect(pointers({ ...MINIMAL, timeoutSeconds })).toEqual(['/timeoutSeconds']));
  }
  for (const origin of [
    'example.com',
    'https://example.com/path',
    'ftp://example.com',
    'null',
    'https://u:p@example.com',
    '',
  ]) {
    it(`the origin ${JSON.stringify(origin)} is refused`, () =>
      expect(pointers({ ...MINIMAL, cors: [origin] })).toEqual(['/cors/0']));
  }
  it('an unknown size is refused', () =>
    expect(pointers({ ...MINIMAL, sizes: ['s', 'xl'] })).toEqual(['/sizes/1']));
});

describe('faults', () => {
  it('are reported all together with JSON pointers', () => {
    const spec = {
      shortname: 'x',
      runtime: 'cobol',
      entrypoint: '',
      tags: [1, ''],
      ai: 'yes',
      requirements: {
        requestType: 'PATCH',
        inputType: 'XML',
        outputType: 'JSON',
        outputSchema: { type: 'object', properties: { 'a/b': { type: 'strange' } } },
        outputJsonExample: '{nope',
        queryParams: [{ name: '', required: 'yes' }, 'name'],
      },
    };
    const error = failure(spec);
    expect(error.code).toBe('functions.spec_invalid');
    expect(error.kind).toBe('invalid_argument');
    expect(pointers(spec)).toEqual([
      '/shortname',
      '/runtime',
      '/entrypoint',
      '/tags/0',
      '/tags/0',
      '/tags/1',
      '/ai',
      '/requirements/inputType',
      '/requirements/requestType',
      '/requirements/queryParams/0/name',
      '/requirements/queryParams/0/required',
      '/requirements/queryParams/1',
      '/requirements/queryParams/1/name',
      '/requirements/queryParams',
      '/requirements/outputSchema/properties/a~1b/type',
      '/requirements/outputJsonExample',
    ]);
  });

  it('include a JSON or FILE body without its schema', () => {
    expect(pointers(withRequirements({ inputType: 'JSON' }))).toEqual(['/requirements/inputSchema']);
    expect(pointers(withRequirements({ outputType: 'FILE' }))).toEqual([
      '/requirements/outputSchema/extensions',
    ]);
    expect(pointers(withRequirements({ inputType: 'FILE', inputSchema: { extensions: ['../x'] } }))).toEqual([
      '/requirements/inputSchema/extensions/0',
      '/requirements/inputSchema/extensions',
    ]);
  });

  it('name the place where the JSON ends to make sense', () => {
    expect(failure('{"a": }').code).toBe('functions.spec_not_json');
    expect(failure('[]').code).toBe('functions.spec_not_json');
    expect(failure('').code).toBe('functions.spec_not_json');
    expect(failure('{\n "a": 1,\n}').message).toContain('line 3 column 1');
  });
});
