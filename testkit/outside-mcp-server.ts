import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type CallToolResult,
  Server,
  type Tool,
  WebStandardStreamableHTTPServerTransport,
  createMcpHandler,
} from '@modelcontextprotocol/server';
import { onLoopback } from './loopback.ts';

export interface OutsideTool extends Omit<Tool, 'inputSchema'> {
  readonly inputSchema?: object;
  readonly answer: (args: Record<string, unknown>) => CallToolResult | Promise<CallToolResult>;
}

/** A request as it arrived. */
export interface OutsideRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** JSON-RPC method of the message, if it is one. */
  readonly rpc: string;
}

export interface OutsideServer {
  /** `http://127.0.0.1:<port>/mcp`. */
  readonly url: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** In order of arrival. */
  readonly requests: readonly OutsideRequest[];
  /** What it offers at the moment; a test changes it. */
  tools: readonly OutsideTool[];
  /** Hears of each request first, and may answer it by itself by returning true: for servers that mean harm. */
  intercept: (request: OutsideRequest, outgoing: ServerResponse) => boolean;
  /** Sessions that are open; always none in the stateless revision. */
  sessions(): number;
  close(): Promise<void>;
}

/**
 * Somebody else's MCP server: the official SDK over real HTTP, in the stateless revision alone (2026-07-28), or with the
 * handshake and the sessions of the older ones.
 */
export async function startOutsideServer(
  tools: readonly OutsideTool[],
  { era = 'stateless' }: { readonly era?: 'stateless' | 'sessions' } = {},
): Promise<OutsideServer> {
  const requests: OutsideRequest[] = [];
  const transports = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const handler = createMcpHandler(() => toolServer(() => started.tools), { legacy: 'reject' });
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const text = Buffer.concat(await incoming.toArray()).toString('utf8');
    const { method = '', headers } = incoming;
    const request = { method, headers, text, rpc: methodOf(text) };
    requests.push(request);
    if (started.intercept(request, outgoing)) return;
    const response =
      era === 'stateless' ? await handler.fetch(webRequest(request)) : await inSession(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), outgoing);
  }

  async function inSession(request: OutsideRequest): Promise<Response> {
    const known = transports.get(String(request.headers['mcp-session-id']));
    if (known !== undefined) return await known.handleRequest(webRequest(request));
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    await toolServer(() => started.tools).connect(transport);
    return await transport.handleRequest(webRequest(request));
  }

  const { host, url, close } = await onLoopback(server);
  const started: OutsideServer = {
    url: `${url}/mcp`,
    host,
    requests,
    tools,
    intercept: () => false,
    sessions: () => transports.size,
    async close() {
      await handler.close();
      await close();
    },
  };
  return started;
}

function toolServer(tools: () => readonly OutsideTool[]): Server {
  const server = new Server({ name: 'outside', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: tools().map((offered) => {
      const { answer: _, inputSchema = {}, ...tool } = offered;
      return { ...tool, inputSchema: { type: 'object' as const, ...inputSchema } };
    }),
  }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    const tool = tools().find(({ name }) => name === params.name);
    if (tool === undefined) throw new Error(`there is no tool ${params.name}`);
    return await tool.answer(params.arguments ?? {});
  });
  return server;
}

function webRequest({ method, headers, text }: OutsideRequest): Request {
  const passed = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]);
  const body = text === '' ? {} : { body: text };
  return new Request('http://127.0.0.1/mcp', { method, headers: passed, ...body });
}

function methodOf(text: string): string {
  try {
    return String((JSON.parse(text) as { method?: unknown }).method);
  } catch {
    return '';
  }
}
