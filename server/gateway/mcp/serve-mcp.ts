import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FunctionTools } from '../../ai/function-tool.ts';
import type { LibraryChange } from '../../calls/deployment.ts';
import { toPlatformError } from '../../kernel/errors.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';
import { openEventStream } from '../control/event-stream.ts';
import { fastifyError } from '../control/fastify-error.ts';
import { createSlots } from '../control/slots.ts';
import { renderError, reportFailure } from '../errors.ts';
import { FUNCTIONS_SCOPE } from '../../sign-in/access-tokens.ts';
import { authorize, challenge, checkOrigin } from './authorize.ts';
import { createChangeFeed } from './change-feed.ts';
import { type Admission, type ExchangeParts, exchange, onToolsChanged } from './exchange.ts';
import { createRunningCalls } from './running-calls.ts';

/** What `/mcp` needs beside the control plane's own parts. */
export interface McpParts {
  readonly tools: FunctionTools;
  /** Textual IP address of whoever makes a request. */
  readonly originIp: (req: IncomingMessage) => string;
  /** The listener hears of every change of what may be called. */
  readonly onLibraryChanged: (listener: (change: LibraryChange) => void) => void;
}

export type McpOptions = Pick<
  ControlPlaneOptions,
  'accounts' | 'events' | 'version' | 'publicUrl' | 'closing' | 'limits' | 'portal'
> & { readonly mcp: McpParts };

const METADATA = '/.well-known/oauth-protected-resource';

/**
 * The library as tools of the Model Context Protocol, over Streamable HTTP. One endpoint serves the stateless revision
 * (2026-07-28) and those with a handshake; either way each request stands alone and nothing of it is kept.
 */
export function serveMcp(app: FastifyInstance, options: McpOptions): void {
  const { limits, publicUrl } = options;
  const parts = partsOf(options);
  for (const path of [METADATA, `${METADATA}/mcp`]) app.get(path, () => metadata(options));
  void app.register(async (scope) => {
    answerErrors(scope, options);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.decorateRequest('admission');
    scope.addHook('onRequest', async (request, reply) => {
      checkOrigin(request.headers.origin, publicUrl());
      request.setDecorator('admission', await admit(parts, request, reply));
    });
    scope.post('/mcp', { bodyLimit: limits.mcpBodyBytesMax }, (request, reply) =>
      exchange(parts, { request, reply, admission: request.getDecorator('admission') }),
    );
    scope.get('/mcp', { exposeHeadRoute: false }, (request, reply) => watch(parts, request, reply));
    scope.delete('/mcp', async (_request, reply) => refuseMethod(reply));
  });
}

function partsOf(options: McpOptions): ExchangeParts {
  const { limits } = options;
  return {
    ...options,
    feed: createChangeFeed(options.mcp.onLibraryChanged),
    running: createRunningCalls(),
    requests: createSlots({
      total: limits.mcpRequestsMax,
      perHolder: limits.mcpRequestsPerAccountMax,
      code: 'mcp.too_many_requests',
      what: 'MCP requests',
    }),
    streams: createSlots({
      total: limits.eventStreamsMax,
      perHolder: limits.eventStreamsPerAccountMax,
      code: 'streams.too_many',
      what: 'event streams',
    }),
  };
}

/**
 * RFC 9728. Without an identity provider no authorization server is named: keys and JFWTs are bearer tokens that a client
 * is given by its user, not ones that it could ask for.
 */
async function metadata({ portal, publicUrl }: McpOptions): Promise<object> {
  const { accessTokens } = portal.signIn;
  return {
    resource: resourceOf(publicUrl()),
    resource_name: 'JellyFaaS function library',
    bearer_methods_supported: ['header'],
    ...(accessTokens !== undefined && {
      authorization_servers: [await accessTokens.issuer()],
      scopes_supported: [FUNCTIONS_SCOPE],
    }),
  };
}

function resourceOf(publicUrl: string): string {
  return `${publicUrl}/mcp`;
}

/** Proves the caller and takes a place before a byte of the body is read. */
async function admit(
  { accounts, portal, publicUrl, limits, mcp, requests, streams }: ExchangeParts,
  request: FastifyRequest,
  { raw }: FastifyReply,
): Promise<Admission> {
  const { accessTokens } = portal.signIn;
  const audience = resourceOf(publicUrl());
  const { principal, prove } = await authorize({ accounts, accessTokens, audience }, request);
  const slots = request.method === 'GET' ? streams : requests;
  let release: (() => void) | undefined = slots.take(principal.accountId);
  const leave = (): void => {
    release?.();
    release = undefined;
  };
  const ending = new AbortController();
  const cancel = (): void => ending.abort();
  const onClose = (): void => {
    cancel();
    leave();
  };
  if (raw.destroyed) onClose();
  else raw.once('close', onClose);
  const originIp = mcp.originIp(request.raw);
  const caller = { principal, originIp, signal: ending.signal, resultBytesMax: limits.mcpResultBytesMax };
  return { caller, prove, cancel, leave };
}

/** The first revision that has no GET. Revisions are dates, so their order is that of text. */
const STATELESS = '2026-07-28';

/** News of the list for clients of the older revisions, which wait for them on a stream of their own. */
async function watch(
  parts: ExchangeParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { accept = '', 'mcp-protocol-version': version = '' } = request.headers;
  if (!accept.includes('text/event-stream') || version >= STATELESS) return refuseMethod(reply);
  const stream = openEventStream(reply, { heartbeatMs: parts.limits.heartbeatMs, closing: parts.closing });
  const news = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
  const admission = request.getDecorator<Admission>('admission');
  admission.caller.signal.addEventListener('abort', () => stream.end());
  stream.onEnd(onToolsChanged(parts, admission, () => stream.send(news, 'message')));
  return reply;
}

function refuseMethod(reply: FastifyReply): FastifyReply {
  return reply
    .status(405)
    .header('allow', 'POST')
    .send({ jsonrpc: '2.0', id: null, error: { code: -32_000, message: 'Method not allowed.' } });
}

const PROTOCOL_CODES: Readonly<Record<string, number>> = {
  'request.invalid_json': -32_700,
  'mcp.not_one_message': -32_600,
};

/** What is refused before there is a protocol message to answer, in the shape that clients of the protocol read. */
function answerErrors(scope: FastifyInstance, { events, publicUrl }: McpOptions): void {
  scope.setErrorHandler((thrown, request, reply) => {
    const error = toPlatformError(fastifyError(thrown));
    reportFailure(events, error, 'mcp');
    const { status, headers } = renderError(error, 'compatible');
    const { code, message } = error;
    const metadataUrl = `${publicUrl()}${METADATA}/mcp`;
    const isChallenge = status === 401 || code === 'sign_in.insufficient_scope';
    return reply
      .status(status)
      .headers(headers)
      .headers(isChallenge ? { 'www-authenticate': challenge(request, { metadataUrl, error }) } : {})
      .send({
        jsonrpc: '2.0',
        id: null,
        error: { code: PROTOCOL_CODES[code] ?? -32_000, message, data: { code } },
      });
  });
}
