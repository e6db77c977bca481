import {
  type Client,
  type Deployed,
  type OutsideServer,
  type ScriptedReply,
  fixtureFiles,
} from '../testkit/index.ts';
import type { CanaryRun } from './harness/canary.ts';

/** A function that the model may call: what it is given and what it answers carry canaries. */
export async function deployTool(client: Client): Promise<Deployed> {
  const queryParams = ['do', 'text', 'code', 'ms'].map((name) => ({ name, required: name === 'do' }));
  const requirements = { requestType: 'POST', queryParams };
  return client.deploy('aiprobe', fixtureFiles('probe', { shortname: 'aiprobe', requirements }));
}

/** What the scripted model says next; set before each question. */
export interface Script {
  replies: ScriptedReply[];
}

/** Sends a canary through every input of a question: words, history, arguments, results, answers, errors. */
export async function exerciseQueries(client: Client, script: Script, run: CanaryRun): Promise<void> {
  const jfwt = await client.token();
  const post = async (
    path: string,
    body: object | string,
    headers: Record<string, string> = {},
  ): Promise<string> => {
    const response = await fetch(`${client.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', jfwt, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return response.text().catch(() => '');
  };
  const ask = (replies: ScriptedReply[], body: object, headers?: Record<string, string>): Promise<string> => {
    script.replies = replies;
    return post('/api/v1/ai/query', { functions: ['aiprobe'], trace: true, ...body }, headers);
  };
  const call = (sink: string): ScriptedReply => ({
    toolCalls: [{ name: 'aiprobe', arguments: { do: 'status', code: '200', text: run.mark(sink) } }],
  });
  script.replies = [{ text: run.mark('model answer') }];
  await post('/query-service/v1/query', { query: run.mark('question') });
  script.replies = [call('tool argument and result'), { text: run.mark('answer after a tool') }];
  await post('/query-service/v1/function', {
    query: run.mark('question about a function'),
    function: 'aiprobe',
    ai_platform: 'gemini',
  });
  await ask(
    [call('streamed argument'), { text: run.mark('streamed answer') }],
    { question: run.mark('streamed question') },
    { accept: 'text/event-stream' },
  );
  await ask([{ text: 'ok' }], {
    messages: [
      { role: 'user', text: run.mark('history') },
      { role: 'assistant', text: run.mark('earlier answer') },
      { role: 'user', text: 'so?' },
    ],
  });
  await ask([{ text: JSON.stringify({ value: run.mark('structured answer') }) }], {
    question: 'as JSON',
    functions: [],
    responseSchema: {
      type: 'object',
      properties: { value: { type: 'string', description: run.mark('response schema') } },
      required: ['value'],
    },
  });
  await ask(
    [
      { toolCalls: [{ name: 'nosuchtool', arguments: { a: run.mark('argument of an unknown tool') } }] },
      { text: 'no' },
    ],
    { question: 'x' },
  );
  await ask(
    [
      { toolCalls: [{ name: 'aiprobe', arguments: `{"do": "${run.mark('broken arguments')}` }] },
      { text: 'no' },
    ],
    { question: 'x' },
  );
  await ask(
    [
      { toolCalls: [{ name: 'aiprobe', arguments: { do: 'throw', text: run.mark('error of the tool') } }] },
      { text: 'it failed' },
    ],
    { question: 'x' },
  );
  for (const status of [400, 401, 429, 500]) {
    const text = JSON.stringify({ error: { message: run.mark(`provider error ${status}`) } });
    const failing = { status, body: { contentType: 'application/json', text } };
    await ask([failing, failing, failing, failing], {
      question: run.mark(`question that ended in ${status}`),
    });
  }
  await ask([{ text: run.mark('answer cut in the middle').repeat(20), cutAfterBytes: 300 }], {
    question: 'x',
  });
  await post('/api/v1/ai/query', `{"question": "${run.mark('broken request')}`);
  await post('/query-service/v1/function', {
    query: 'x',
    function: run.mark('unknown function'),
    ai_platform: run.mark('unknown platform'),
  });
  await abandoned(client, script, run);
  await overMcp(client, run);
}

/** A client that leaves while the model is speaking. */
async function abandoned(client: Client, script: Script, run: CanaryRun): Promise<void> {
  const gone = new AbortController();
  script.replies = [{ text: run.mark('answer that nobody waits for'), hang: 'after-first-write' }];
  const response = fetch(`${client.url}/api/v1/ai/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', jfwt: await client.token(), accept: 'text/event-stream' },
    body: JSON.stringify({ question: run.mark('abandoned question'), functions: [] }),
    signal: gone.signal,
  });
  setTimeout(() => gone.abort(), 300);
  await response.then((answer) => answer.text()).catch(() => undefined);
}

async function overMcp(client: Client, run: CanaryRun): Promise<void> {
  const call = (name: string, args: object): object => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: args },
  });
  const messages = [
    call('aiprobe', { do: 'status', code: '200', text: run.mark('MCP argument and result') }),
    call('aiprobe', { do: 'throw', text: run.mark('MCP tool error') }),
    call(run.mark('MCP unknown tool'), {}),
    { jsonrpc: '2.0', id: 2, method: run.mark('MCP unknown method') },
  ];
  for (const message of messages) {
    await fetch(`${client.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${client.apiKey}`,
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify(message),
    })
      .then((response) => response.text())
      .catch(() => undefined);
  }
}

/** A source whose tools are asked, one whose server fails, and one that is removed; the first two stay. */
export async function exerciseSources(
  client: Client,
  { script, server }: { readonly script: Script; readonly server: OutsideServer },
  run: CanaryRun,
): Promise<void> {
  const send = async (method: string, path: string, body?: object): Promise<string> => {
    const headers = { 'content-type': 'application/json', 'x-jf-apikey': client.apiKey };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return await (await fetch(`${client.url}/api/v1/ai/${path}`, { method, headers, ...init })).text();
  };
  const ask = async (source: string, replies: ScriptedReply[]): Promise<string> => {
    script.replies = replies;
    return await send('POST', 'query', { question: 'x', sources: [source], trace: true });
  };
  const call = (source: string): ScriptedReply => ({
    toolCalls: [{ name: `${source}__tell`, arguments: { text: run.mark(`argument to ${source}`) } }],
  });
  server.tools = [
    {
      name: 'tell',
      description: run.mark('description of an outside tool'),
      inputSchema: { properties: { text: { type: 'string', description: run.mark('outside schema') } } },
      answer: () => ({ content: [{ type: 'text', text: run.mark('result of an outside tool') }] }),
    },
  ];
  for (const name of ['kept', 'failing', 'removed']) {
    const url = `${server.url}/${run.mark(`path of ${name}`)}?key=${run.mark(`query of ${name}`)}`;
    await send('POST', 'sources', { name, url, token: run.mark(`token of ${name}`) });
    const { tools } = JSON.parse(await send('GET', `sources/${name}`)) as { tools: { sha256: string }[] };
    await send('PUT', `sources/${name}/approved`, {
      approved: tools.map(({ sha256 }) => ({ name: 'tell', sha256 })),
    });
    await ask(name, [call(name), { text: run.mark('answer after an outside tool') }]);
  }
  await send('DELETE', 'sources/removed');
  server.intercept = ({ rpc }, outgoing) => {
    if (rpc === 'tools/call') outgoing.writeHead(500).end(run.mark('error of an outside server'));
    return rpc === 'tools/call';
  };
  await ask('failing', [call('failing'), { text: 'it failed' }]);
  server.intercept = (_request, outgoing) => {
    outgoing.writeHead(302, { location: `http://169.254.169.254/${run.mark('redirect')}` }).end();
    return true;
  };
  await ask('failing', []);
  server.intercept = () => false;
  server.tools = server.tools.map((tool) => ({ ...tool, description: run.mark('changed description') }));
  await ask('kept', []);
}
