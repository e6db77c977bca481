import { type Client, createClient, type Platform, startPlatform } from '../testkit/index.ts';
import {
  type ScriptedModel,
  type ScriptedReply,
  type ScriptedRequest,
  startScriptedModel,
} from '../testkit/scripted-model.ts';

import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';

/** A platform with a model that is predictable and three functions to call: what the clients are tried against. */
export interface CallingPlatform {
  readonly url: string;
  readonly apiKey: string;
  readonly owner: Client;
  readonly model: ScriptedModel;
  stop(): Promise<void>;
}

export async function startCallingPlatform(layersOf: string): Promise<CallingPlatform> {
  const model = await startScriptedModel(reply);
  const platform: Platform = await startPlatform({
    layersOf,
    env: {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
    },
  });
  const owner = createClient(platform.url, platform.apiKey);
  for (const [shortname, files] of Object.entries(FUNCTIONS)) await owner.deploy(shortname, files);
  return {
    url: platform.url,
    apiKey: platform.apiKey,
    owner,
    model,
    async stop() {
      await platform.stop();
      platform.remove();
      await model.close();
    },
  };
}

/**
 * Calls the first function that it is offered for Ada, then repeats what that answered; says something of databases; `hang`
 * never ends.
 */
function reply({ body }: ScriptedRequest): ScriptedReply {
  const last = body.messages?.at(-1);
  const said = typeof last?.content === 'string' ? last.content : JSON.stringify(last?.content);
  if (last?.role === 'tool') return { text: `It says ${/hello, \w+!/.exec(said)?.[0]}`, deltaLength: 5 };
  const text = textOnDatabases(body);
  if (text !== undefined) return { text, deltaLength: 5 };
  if (said.includes('hang'))
    return { text: 'An answer without end', deltaLength: 3, beforeWrite: holdAfter(2) };
  const name = body.tools?.[0]?.function.name;
  if (name !== undefined) return { toolCalls: [{ name, arguments: { name: 'Ada' } }] };
  return { text: 'Two and two is four.', deltaLength: 5 };
}

/** About databases. */
const TEXTS: readonly (readonly [said: RegExp, text: string])[] = [
  [/^The tables:/, JSON.stringify({ sql: 'SELECT COUNT(*) AS n FROM orders', reason: null })],
  [/The statement that was run:/, 'There are some orders.'],
  [/^Passage \[1\]/, 'The red valve stops it. [1]'],
];

/** On a busy machine a statement may end at its time limit, and then the last message is not the question itself. */
function textOnDatabases({ messages = [] }: ScriptedRequest['body']): string | undefined {
  const words = messages.map(({ content }) => String(content));
  return TEXTS.find(([form]) => words.some((one) => form.test(one)))?.[1];
}

/** Lets so many writes through, and then none. */
function holdAfter(writes: number): () => Promise<void> {
  let waited = 0;
  return () => (++waited <= writes ? Promise.resolve() : new Promise(() => undefined));
}

function functionFiles(
  shortname: string,
  { requirements, handler }: { requirements: object; handler: string },
): Record<string, string> {
  const spec = {
    $jellyspecversion: 'v1.0.0',
    name: shortname,
    shortname,
    runtime: 'nodejs24',
    entrypoint: 'handler',
    description: `The ${shortname} */ of the tests`,
    tags: ['test'],
    requirements,
  };
  return {
    'jellyspec.json': JSON.stringify(spec),
    'README.md': `# ${shortname}`,
    'index.js': `require('@google-cloud/functions-framework').http('handler', ${handler});`,
  };
}

const numbers = { type: 'array', items: { type: 'number' } };

/** Greets the name in its query, with the status or the redirect that it is asked for. */
export function greeterFiles(shortname: string): Record<string, string> {
  return functionFiles(shortname, {
    requirements: {
      requestType: 'GET',
      queryParams: [
        { name: 'name', required: true, description: 'Whom to greet', exampleData: 'name=Ada' },
        { name: 'status', required: false, description: 'Status of the answer', exampleData: 'status=200' },
        { name: 'location', required: false, description: 'Where to go', exampleData: 'location=/' },
      ],
      inputType: 'NONE',
      outputType: 'JSON',
      outputSchema: {
        type: 'object',
        properties: { greeting: { type: 'string' } },
        required: ['greeting'],
      },
      outputJsonExample: '{"greeting":"hello, Ada!"}',
    },
    handler: `(req, res) => {
  const { name, status = 200, location } = req.query;
  if (location) return res.redirect(location);
  if (name === 'forever') return;
  res.status(Number(status)).json({ greeting: 'hello, ' + name + '!' });
}`,
  });
}

const FUNCTIONS: Readonly<Record<string, Record<string, string>>> = {
  greeter: greeterFiles('greeter'),
  'sum-up': functionFiles('sum-up', {
    requirements: {
      requestType: 'POST',
      inputType: 'JSON',
      inputSchema: { type: 'object', properties: { numbers }, required: ['numbers'] },
      outputType: 'JSON',
      outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
      inputJsonExample: '{"numbers":[1,2]}',
      outputJsonExample: '{"sum":3}',
    },
    handler: `(req, res) => res.json({ sum: req.body.numbers.reduce((sum, one) => sum + one, 0) })`,
  }),
  reverse: functionFiles('reverse', {
    requirements: {
      requestType: 'POST',
      inputType: 'FILE',
      inputSchema: { extensions: ['bin'], required: true, description: 'Any bytes' },
      outputType: 'FILE',
      outputSchema: { extensions: ['bin'], required: true, description: 'The same, backwards' },
    },
    handler: `(req, res) => res.type('application/octet-stream').send(Buffer.from(req.rawBody).reverse())`,
  }),
};
