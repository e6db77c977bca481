import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createClient, fixtureFiles, zip } from '../testkit/index.ts';

/** The library as MCP tools, as a client of either era sees it: the official SDK against the real platform. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const ERAS = [
  { era: '2026-07-28', mode: { pin: '2026-07-28' } },
  { era: '2025-11-25', mode: 'legacy' },
] as const;
type Mode = (typeof ERAS)[number]['mode'];

const PARAMETERS = ['do', 'code', 'text', 'ms', 'chunks', 'every'];
const queryParams = PARAMETERS.map((name) => ({
  name,
  required: name === 'do',
  description: `the probe's ${name}`,
  exampleData: `${name}=1`,
}));
const BODY = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1 } },
  required: ['city'],
};
const OUTPUT = {
  type: 'object',
  properties: { method: { type: 'string' }, body: { type: 'string' } },
  required: ['method', 'body'],
};
const FILE = { extensions: ['bin'], required: true, description: 'Any bytes.' };

const FUNCTIONS = {
  mcpget: { requestType: 'GET', queryParams, inputType: 'NONE', outputType: 'NONE' },
  /** Only called where its records are counted. */
  mcprecord: { requestType: 'GET', queryParams, inputType: 'NONE', outputType: 'NONE' },
  mcpjson: {
    requestType: 'POST',
    queryParams: queryParams.slice(0, 1),
    inputType: 'JSON',
    inputSchema: BODY,
    inputJsonExample: '{"city":"Graz"}',
    outputType: 'JSON',
    outputSchema: OUTPUT,
    outputJsonExample: '{"method":"POST","body":""}',
  },
  mcpfile: {
    requestType: 'POST',
    queryParams: queryParams.slice(0, 1),
    inputType: 'FILE',
    inputSchema: FILE,
    outputType: 'FILE',
    outputSchema: FILE,
  },
};

let otherKey: string;

beforeAll(async () => {
  const created = await owner.core(
    'POST',
    '/entity',
    JSON.stringify({ type: 'user', name: 'Mcp', email: 'mcp@example.org' }),
  );
  otherKey = String(((await created.json()) as { password: unknown }).password);
  for (const [shortname, requirements] of Object.entries(FUNCTIONS)) {
    await owner.deploy(shortname, fixtureFiles('probe', { shortname, requirements }));
  }
});

async function connect(mode: Mode, bearer = apiKey): Promise<Client> {
  const client = new Client({ name: 'acceptance', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${bearer}` } },
    }),
  );
  return client;
}

function firstText({ content: [first] }: CallToolResult): string {
  return first?.type === 'text' ? first.text : '';
}

/** The owner's calls of `mcprecord` on record; records are written behind the answer, in order. */
async function recorded(): Promise<{ ok: number; failed: number }> {
  const response = await fetch(`${url}/api/v1/calls?function=mcprecord`, {
    headers: { 'x-jf-apikey': apiKey },
  });
  const { calls } = (await response.json()) as { calls: { ok: boolean }[] };
  const ok = calls.filter((call) => call.ok).length;
  return { ok, failed: calls.length - ok };
}

describe.each(ERAS)('a client of $era', ({ era, mode }) => {
  /** How often these tests ran before, and did the same calls. */
  const rounds = ERAS.findIndex((one) => one.era === era);
  let client: Client;
  beforeAll(async () => {
    client = await connect(mode);
  });
  afterAll(() => client.close());

  it('negotiates its revision', () => {
    expect(client.getNegotiatedProtocolVersion()).toBe(era);
    expect(client.getServerVersion()).toMatchObject({ name: 'jellyfaas' });
  });

  it('lists functions with their schemas and what they may do', async () => {
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    const byName = new Map(tools.map((tool) => [tool.name, tool]));
    expect(byName.get('mcpget')).toMatchObject({
      inputSchema: { type: 'object', required: ['do'], properties: { do: { type: 'string' } } },
      annotations: { readOnlyHint: true, openWorldHint: false },
    });
    expect(byName.get('mcpjson')).toMatchObject({
      inputSchema: { properties: { body: { type: 'object', required: ['city'] } } },
      outputSchema: { type: 'object', required: ['method', 'body'] },
      annotations: { readOnlyHint: false },
    });
    expect(byName.get('mcpfile')?.inputSchema.properties).toHaveProperty('file');
  });

  it('calls with query parameters, and leaves a record like a direct call', async () => {
    const result = await client.callTool({
      name: 'mcprecord',
      arguments: { do: 'status', code: '200', text: 'Grüße & mehr' },
    });
    expect([result.isError ?? false, firstText(result)]).toEqual([false, 'Grüße & mehr']);
    await expect.poll(recorded).toEqual({ ok: rounds + 1, failed: 2 * rounds });
  });

  it('calls with a JSON body and gets structured content', async () => {
    const body = { city: 'Łódź', days: 3 };
    const result = await client.callTool({ name: 'mcpjson', arguments: { do: 'echo', body } });
    const answer = result.structuredContent as { method: string; body: string };
    expect(answer.method).toBe('POST');
    expect(JSON.parse(Buffer.from(answer.body, 'base64').toString())).toEqual(body);
    expect(JSON.parse(firstText(result))).toEqual(answer);
  });

  it('sends and receives a file byte for byte', async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
    const file = { name: 'in.bin', base64: bytes.toString('base64') };
    const result = await client.callTool({ name: 'mcpfile', arguments: { do: 'raw', file } });
    const [content] = result.content;
    const resource = content?.type === 'resource' ? content.resource : undefined;
    expect(resource?.mimeType).toBe('application/octet-stream');
    const blob = resource !== undefined && 'blob' in resource ? resource.blob : '';
    expect(Buffer.compare(Buffer.from(blob, 'base64'), bytes)).toBe(0);
  });

  it('is told by the result when a function fails, and never how the platform looks inside', async () => {
    const told = async (name: string, args: Record<string, unknown>): Promise<string> => {
      const result = await client.callTool({ name, arguments: args });
      expect(result.isError).toBe(true);
      return JSON.stringify(result.content);
    };
    expect(await told('mcpget', { do: 'status', code: '418', text: 'short' })).toMatch(/status 418.*short/);
    expect(await told('mcpget', { do: 'exit' })).toContain('did not answer');
    expect(await told('mcpjson', { do: 'echo', body: { days: 0 } })).toMatch(/city.*days|days.*city/);
    expect(await told('mcpget', {})).toContain('do');
    expect(await told('mcpget', { do: 'throw', text: 'x' })).not.toContain('server/');
  });

  it('does not run a function whose arguments break the schema', async () => {
    await client.callTool({ name: 'mcprecord', arguments: { do: 'echo', more: 1 } });
    await client.callTool({ name: 'mcprecord', arguments: { do: 'exit' } });
    // What the first call would have left would be there with the second one's record.
    await expect.poll(async () => (await recorded()).failed).toBe(2 * rounds + 1);
    expect((await recorded()).ok).toBe(rounds + 1);
  });

  it('is told of progress, and ends the function by cancelling', async () => {
    const leaving = new AbortController();
    const seen: number[] = [];
    const call = client.callTool(
      { name: 'mcprecord', arguments: { do: 'sleep', ms: '50000' } },
      {
        signal: leaving.signal,
        onprogress: ({ progress }) => {
          if (seen.push(progress) === 2) leaving.abort();
        },
      },
    );
    await expect(call).rejects.toThrow();
    expect(seen).toEqual([1, 2]);
    // A call that was cut is on record as failed, long before the function would have answered.
    await expect.poll(async () => (await recorded()).failed).toBe(2 * rounds + 2);
  });

  it('of another account sees published functions only', async () => {
    const other = await connect(mode, otherKey);
    onTestFinished(() => other.close());
    const names = async (): Promise<string[]> =>
      (await other.listTools(undefined, { cacheMode: 'bypass' })).tools.map(({ name }) => name);
    expect(await names()).not.toContain('mcpget');
    const args = { name: 'mcpget', arguments: { do: 'status', code: '200' } };
    await expect(other.callTool(args)).rejects.toMatchObject({ code: -32_602 });
    await owner.core('PUT', '/library/publish/mcpget');
    onTestFinished(async () => void (await owner.core('PUT', '/library/withdraw/mcpget')));
    expect(await names()).toContain('mcpget');
    expect((await other.callTool(args)).isError ?? false).toBe(false);
  });

  it('works with a JFWT, and not with what no longer or never was one', async () => {
    const withToken = await connect(mode, await owner.token());
    onTestFinished(() => withToken.close());
    expect((await withToken.listTools()).tools.length).toBeGreaterThan(0);
    const token = await owner.token();
    for (const bad of [
      `${token.slice(0, -4)}AAAA`,
      'sk_0000000000000000000000000',
      'eyJhbGciOiJub25lIn0.e30.',
    ]) {
      await expect(connect(mode, bad)).rejects.toThrow();
    }
  });

  it('hears that its list changed when a function is deployed', async () => {
    const heard = Promise.withResolvers<void>();
    client.setNotificationHandler('notifications/tools/list_changed', () => heard.resolve());
    if (mode !== 'legacy') await client.listen({ toolsListChanged: true });
    const shortname = `mcpnew-${era.slice(0, 4)}`;
    await owner.deploy(shortname, fixtureFiles('probe', { shortname, requirements: FUNCTIONS.mcpget }));
    await heard.promise;
    const { tools } = await client.listTools(undefined, { cacheMode: 'refresh' });
    expect(tools.map(({ name }) => name)).toContain(shortname);
  });
});

describe('the endpoint', () => {
  it('tells a client without credentials where to learn more', async () => {
    const response = await fetch(`${url}/mcp`, { method: 'POST' });
    expect(response.status).toBe(401);
    const found =
      /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    expect(await (await fetch(found)).json()).toMatchObject({ resource: `${url}/mcp` });
  });

  it('shows nothing of a refused upload as a tool', async () => {
    await owner.upload('mcpbad', await zip('mcpbad', { 'jellyspec.json': '{}' }));
    const client = await connect('legacy');
    onTestFinished(() => client.close());
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('mcpbad');
  });
});
