import { execFileSync, spawnSync } from 'node:child_process';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { languageSamples, type LanguageSample } from './samples.ts';
import { parseSpec } from './parse-spec.ts';

const URL_OF_FUNCTION = 'https://faas.example/greeter-cvm2ffq9io6g00dj7vpg-1-s';

function samplesOf(requirements: object): Record<LanguageSample['language'], LanguageSample> {
  const spec = parseSpec(
    JSON.stringify({ shortname: 'greeter', runtime: 'nodejs20', entrypoint: 'Example', requirements }),
  );
  const samples = languageSamples(spec, URL_OF_FUNCTION);
  return Object.fromEntries(samples.map((sample) => [sample.language, sample])) as Record<
    LanguageSample['language'],
    LanguageSample
  >;
}

const HOSTILE = `it's "a" $(touch /tmp/x) \`b\` \\ 😀 ü`;
const specs: Record<string, object> = {
  'a query': {
    requestType: 'GET',
    queryParams: [{ name: 'name', required: true, exampleData: `name=${HOSTILE}` }],
  },
  'a JSON body': {
    requestType: 'POST',
    inputType: 'JSON',
    inputSchema: { type: 'object' },
    inputJsonExample: JSON.stringify({ text: HOSTILE }),
  },
  'a file': { requestType: 'PUT', inputType: 'FILE', inputSchema: { extensions: ['pdf'] } },
  'nothing at all': { requestType: 'DELETE' },
};

describe('the samples of a function with', () => {
  for (const [title, requirements] of Object.entries(specs)) {
    it(`${title} are well-formed in every language`, () => {
      const { curl, node, python } = samplesOf(requirements);
      const module = node.sdkCode.replace(/^import .*$/m, '');
      expect(() => new Script(`async () => {${module}}`)).not.toThrow();
      const compiled = spawnSync('python3', ['-c', 'import sys; compile(sys.stdin.read(), "s", "exec")'], {
        input: python.sdkCode,
      });
      if (compiled.error === undefined) expect(compiled.stderr.toString()).toBe('');
      // The shell hands curl's words back one by one: nothing in an example is ever run.
      const words = execFileSync('sh', ['-c', curl.sdkCode.replace(/^curl/, `printf '%s\\n'`)], {
        encoding: 'utf8',
      });
      expect(words).toContain(URL_OF_FUNCTION);
      if ('inputJsonExample' in requirements) expect(words).toContain(JSON.stringify({ text: HOSTILE }));
    });
  }

  it('everything carry query, input and output as the library shows them', () => {
    const { go } = samplesOf({
      requestType: 'POST',
      queryParams: [
        { name: 'name', required: true, exampleData: 'name=a b' },
        { name: 'plain', exampleData: 'x' },
        { name: 'optional' },
      ],
      inputType: 'JSON',
      inputSchema: { type: 'object' },
      inputJsonExample: '{"a":1}',
      outputType: 'JSON',
      outputSchema: { type: 'object' },
      outputJsonExample: '{"b":2}',
    });
    expect(go).toMatchObject({ params: 'name=a+b&plain=x', input: '{"a":1}', output: '{"b":2}' });
    expect(go.sdkCode).toContain(`http.NewRequest("POST", "${URL_OF_FUNCTION}?name=a+b&plain=x"`);
  });
});
