import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { firstEvent } from './first-event.ts';
import { onLoopback } from './loopback.ts';

/** What the scripted model answers to one request; everything but the answer itself is optional. */
export interface ScriptedReply {
  /** Answer in words. With `toolCalls` it comes before them. */
  readonly text?: string;
  /** Called in one turn: several are parallel calls. */
  readonly toolCalls?: readonly ScriptedToolCall[];
  /** Default: `tool_calls` if there are any, else `stop`. Null leaves it out, as a broken server does. */
  readonly finish?: 'stop' | 'length' | 'tool_calls' | 'content_filter' | null;
  /** Characters per streamed delta of text and arguments; default: each in one delta. */
  readonly deltaLength?: number;

  /** A status other than 200 answers with an error of OpenAI's form, which repeats the question as some do. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, for broken streams and for providers with a form of their own. */
  readonly body?: { readonly contentType: string; readonly text: string };

  /** Bytes per write of the body; 1 splits every character and every line. Default: as they come. */
  readonly writeBytes?: number;
  /** Awaited before each write but the first: the test holds the stream for as long as it likes. */
  readonly beforeWrite?: () => Promise<void>;
  /** The connection is destroyed once this many bytes of the body went out. */
  readonly cutAfterBytes?: number;
  /** Goes silent and stays so until the client leaves: before the headers, after them, or after the first write. */
  readonly hang?: 'before-headers' | 'after-headers' | 'after-first-write';
}

export interface ScriptedToolCall {
  /** Default `call_<n>`, unique in the server. */
  readonly id?: string;
  readonly name: string;
  /** A text goes out as it is, valid or not. */
  readonly arguments: string | object;
}

/** A request as it arrived. */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; `{}` when it was no JSON object. */
  readonly body: ScriptedRequestBody;
  /** By `performance.now`, before its body was read. */
  readonly arrivedAt: number;
  /** Fulfilled when the answer went out whole (`answered`), was cut as scripted, or the client left before its end. */
  readonly ended: Promise<'answered' | 'cut' | 'client-left'>;
}

export interface ScriptedRequestBody {
  readonly [field: string]: unknown;
  readonly stream?: boolean;
  readonly messages?: readonly {
    readonly role: string;
    readonly content?: unknown;
    readonly tool_calls?: readonly {
      readonly id: string;
      readonly function: { readonly name: string; readonly arguments: string };
    }[];
    readonly tool_call_id?: string;
  }[];
  readonly tools?: readonly { readonly function: { readonly name: string; readonly parameters: unknown } }[];
}

/** One reply per request in order, or a function that is asked for each (`index` from 0): a loop without end is one. */
export type ModelScript =
  | readonly ScriptedReply[]
  | ((request: ScriptedRequest, index: number) => ScriptedReply | Promise<ScriptedReply>);

export interface ScriptedModel {
  /** Base URL, `http(s)://127.0.0.1:<port>/v1`. */
  readonly url: string;
  /** In order of arrival. */
  readonly requests: readonly ScriptedRequest[];
  close(): Promise<void>;
}

/**
 * An OpenAI-compatible model that says what the script says, over real HTTP: `POST <url>/chat/completions`, streamed
 * as server-sent events if the request asks for it, over TLS with `tls`. A list that has run out answers 400.
 */
export async function startScriptedModel(
  script: ModelScript,
  tls?: { readonly cert: Buffer; readonly key: Buffer },
): Promise<ScriptedModel> {
  const requests: ScriptedRequest[] = [];
  const ids = { next: 1 };
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const arrivedAt = performance.now();
    const ending = Promise.withResolvers<'answered' | 'cut' | 'client-left'>();
    outgoing.once('close', () => ending.resolve(outgoing.writableFinished ? 'answered' : 'client-left'));
    const text = Buffer.concat(await incoming.toArray()).toString('utf8');
    const { method = '', url: path = '', headers } = incoming;
    const request: ScriptedRequest = {
      method,
      path,
      headers,
      text,
      body: parse(text),
      arrivedAt,
      ended: ending.promise,
    };
    const index = requests.push(request) - 1;
    const reply =
      typeof script === 'function' ? await script(request, index) : (script[index] ?? runOut(script.length));
    await send(outgoing, reply, {
      payload: payloadOf(reply, request, ids),
      cut: () => ending.resolve('cut'),
    });
  }

  const { url, close } = await onLoopback(server);
  return { url: `${url}/v1`, requests, close };
}

function runOut(length: number): ScriptedReply {
  return {
    status: 400,
    body: { contentType: 'text/plain', text: `the script has ${length} replies and no more` },
  };
}

function parse(text: string): ScriptedRequestBody {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as ScriptedRequestBody) : {};
  } catch {
    return {};
  }
}

interface Payload {
  readonly contentType: string;
  /** Written one by one unless `writeBytes` cuts them otherwise. */
  readonly pieces: readonly string[];
}

async function send(
  outgoing: ServerResponse,
  reply: ScriptedReply,
  { payload, cut }: { payload: Payload; cut: () => void },
): Promise<void> {
  if (reply.hang === 'before-headers') return;
  outgoing.writeHead(reply.status ?? 200, { 'content-type': payload.contentType, ...reply.headers });
  outgoing.flushHeaders();
  if (reply.hang === 'after-headers') return;
  let sent = 0;
  for (const piece of cutBytes(payload.pieces, reply.writeBytes)) {
    if (sent > 0) await reply.beforeWrite?.();
    if (outgoing.destroyed) return;
    const rest = (reply.cutAfterBytes ?? Infinity) - sent;
    const isWritable = outgoing.write(piece.subarray(0, rest));
    sent += piece.length;
    if (piece.length >= rest) {
      cut();
      // The bytes before the cut have to arrive, so the end is a FIN without the last chunk, not a reset.
      outgoing.socket?.end();
      return;
    }
    if (reply.hang === 'after-first-write') return;
    if (!isWritable) await firstEvent([outgoing, 'drain'], [outgoing, 'close']);
  }
  outgoing.end();
}

function cutBytes(pieces: readonly string[], size: number | undefined): Buffer[] {
  if (size === undefined) return pieces.map((piece) => Buffer.from(piece));
  const all = Buffer.from(pieces.join(''));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.subarray(at * size, (at + 1) * size),
  );
}

function payloadOf(reply: ScriptedReply, request: ScriptedRequest, ids: { next: number }): Payload {
  if (reply.body !== undefined) return { contentType: reply.body.contentType, pieces: [reply.body.text] };
  if (reply.status !== undefined && reply.status !== 200) {
    const error = { message: `refused: ${request.text}`, type: 'scripted', param: null, code: reply.status };
    return { contentType: 'application/json', pieces: [JSON.stringify({ error })] };
  }
  const calls = (reply.toolCalls ?? []).map((call) => ({
    id: call.id ?? `call_${ids.next++}`,
    type: 'function',
    function: {
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
    },
  }));
  const finish = reply.finish === undefined ? (calls.length > 0 ? 'tool_calls' : 'stop') : reply.finish;
  const head = { id: 'chatcmpl-scripted', created: 0, model: 'scripted' };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  if (request.body.stream !== true) {
    const message = {
      role: 'assistant',
      content: reply.text ?? null,
      ...(calls.length > 0 && { tool_calls: calls }),
    };
    const choices = [{ index: 0, message, finish_reason: finish }];
    const whole = { ...head, object: 'chat.completion', choices, usage };
    return { contentType: 'application/json', pieces: [JSON.stringify(whole)] };
  }
  const event = (delta: object, reason: string | null = null): string =>
    `data: ${JSON.stringify({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: reason }],
    })}\n\n`;
  const pieces = deltas(reply.text ?? '', calls, reply.deltaLength).map((delta) => event(delta));
  pieces.unshift(event({ role: 'assistant' }));
  if (finish !== null) pieces.push(event({}, finish));
  pieces.push('data: [DONE]\n\n');
  return { contentType: 'text/event-stream', pieces };
}

/** Text in pieces, then the heads of all calls, then their arguments in turns, as parallel calls arrive. */
function deltas(
  text: string,
  calls: readonly { id: string; type: string; function: { name: string; arguments: string } }[],
  length = Infinity,
): object[] {
  const cut = (whole: string): string[] =>
    length === Infinity ? [whole] : (whole.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? []);
  const found: object[] = cut(text)
    .filter((content) => content !== '')
    .map((content) => ({ content }));
  for (const [index, { id, type, function: called }] of calls.entries()) {
    found.push({ tool_calls: [{ index, id, type, function: { name: called.name, arguments: '' } }] });
  }
  const rest = calls.map((call) => cut(call.function.arguments));
  for (let round = 0; rest.some((pieces) => round < pieces.length); round++) {
    for (const [index, pieces] of rest.entries()) {
      const piece = pieces[round];
      if (piece !== undefined) found.push({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  return found;
}
