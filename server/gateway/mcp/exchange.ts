import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ServerEventBus, createMcpHandler } from '@modelcontextprotocol/server';
import type { ToolCaller } from '../../ai/function-tool.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { Slots } from '../control/slots.ts';
import { reportFailure } from '../errors.ts';
import type { Proof } from './authorize.ts';
import type { ChangeFeed } from './change-feed.ts';
import type { RunningCalls } from './running-calls.ts';
import type { McpOptions } from './serve-mcp.ts';
import { createToolServer } from './tool-server.ts';

export interface ExchangeParts extends McpOptions {
  readonly feed: ChangeFeed;
  readonly running: RunningCalls;
  readonly requests: Slots;
  readonly streams: Slots;
}

/** An admitted request: who makes it, and the place that it holds until it has been answered. */
export interface Admission {
  readonly caller: ToolCaller;
  readonly prove: Proof;
  /** Ends all work on the request. */
  readonly cancel: () => void;
  /** Gives the place back early. */
  readonly leave: () => void;
}

/** What of a message decides how it is handled here; the SDK checks the rest. */
interface Message {
  readonly method?: unknown;
  readonly id?: unknown;
  readonly params?: { readonly requestId?: unknown } | null;
}

/** Answers one POST: a JSON-RPC message in, its response or a stream that ends with it out. */
export async function exchange(
  parts: ExchangeParts,
  { request, reply, admission }: { request: FastifyRequest; reply: FastifyReply; admission: Admission },
): Promise<FastifyReply> {
  const message = parse(request.body);
  trackCancellation(parts, { request, reply, message, admission });
  const handler = createMcpHandler(() => toolServer(parts, admission), {
    bus: busOf(parts, admission),
    keepAliveMs: parts.limits.heartbeatMs,
  });
  if (message.method === 'subscriptions/listen') {
    const release = parts.streams.take(admission.caller.principal.accountId);
    reply.raw.once('close', release);
    admission.leave();
    const end = (): void => void handler.close();
    parts.closing.addEventListener('abort', end);
    reply.raw.once('close', () => parts.closing.removeEventListener('abort', end));
  }
  const response = await handler.fetch(webRequest(parts, request, admission), { parsedBody: message });
  // To tell one client's requests from another's when they are cancelled; nothing is kept under it.
  if (message.method === 'initialize' && response.ok) reply.header('mcp-session-id', randomUUID());
  return await send(reply, response);
}

async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  const { body, headers, status } = response;
  for (const name of ['content-type', 'allow', 'x-accel-buffering']) {
    const value = headers.get(name);
    if (value !== null) reply.header(name, value);
  }
  const isStream = body !== null && headers.get('content-type') === 'text/event-stream';
  reply.status(status).send(isStream ? body : Buffer.from(await response.arrayBuffer()));
  // The client is told that it waits for a stream before there is something to read on it.
  if (isStream) reply.raw.flushHeaders();
  return reply;
}

function parse(body: unknown): Message {
  let message: unknown;
  try {
    message = JSON.parse(typeof body === 'string' ? body : '');
  } catch {
    throw new PlatformError({
      kind: 'invalid_argument',
      code: 'request.invalid_json',
      message: 'The body is not valid JSON.',
    });
  }
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message;
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'mcp.not_one_message',
    message: 'Send one JSON-RPC message per request; the protocol has no batches any more.',
  });
}

/** With a handshake, requests are cancelled by another message of the same client; since then, by hanging up. */
function trackCancellation(
  { running }: ExchangeParts,
  {
    request,
    reply,
    message,
    admission,
  }: { request: FastifyRequest; reply: FastifyReply; message: Message; admission: Admission },
): void {
  const sessionId = request.headers['mcp-session-id'];
  if (typeof sessionId !== 'string') return;
  const { accountId } = admission.caller.principal;
  const named = message.method === 'notifications/cancelled' ? message.params?.requestId : message.id;
  if (typeof named !== 'string' && typeof named !== 'number') return;
  const name = { accountId, sessionId, requestId: named };
  if (message.method === 'notifications/cancelled') running.cancel(name);
  else reply.raw.once('close', running.add(name, admission.cancel));
}

function toolServer(parts: ExchangeParts, { caller }: Admission): ReturnType<typeof createToolServer> {
  return createToolServer({
    tools: parts.mcp.tools,
    caller,
    version: parts.version,
    progressMs: parts.limits.mcpProgressMs,
    // What ends because the caller ended it has not failed.
    onError: (thrown) => {
      if (!caller.signal.aborted) reportFailure(parts.events, thrown, 'mcp');
    },
  });
}

/** The SDK's stream of changes, fed with those that this caller may know of. */
function busOf(parts: ExchangeParts, admission: Admission): ServerEventBus {
  return {
    publish: () => undefined,
    subscribe: (listener) => onToolsChanged(parts, admission, () => listener({ kind: 'tools_list_changed' })),
  };
}

/** Calls `tell` at every change of the caller's tools, as long as what he proved himself with is still good. */
export function onToolsChanged(
  { feed }: Pick<ExchangeParts, 'feed'>,
  { caller, prove, cancel }: Admission,
  tell: () => void,
): () => void {
  return feed.subscribe(caller.principal.accountId, () => {
    prove().then((principal) => (principal === undefined ? cancel() : tell()), cancel);
  });
}

const PROTOCOL_HEADERS = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];

/** The request as the SDK takes it: without credentials and without a body, which has been parsed already. */
function webRequest(
  { publicUrl }: ExchangeParts,
  { headers }: FastifyRequest,
  { caller }: Admission,
): Request {
  const passed = new Headers();
  for (const name of PROTOCOL_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') passed.set(name, value);
  }
  return new Request(`${publicUrl()}/mcp`, { method: 'POST', headers: passed, signal: caller.signal });
}
