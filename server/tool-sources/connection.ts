import { type CallToolResult, Client, ProtocolError, type Tool } from '@modelcontextprotocol/client';
import type { Json } from '../functions/spec.ts';
import { orAborted } from '../kernel/abort.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { hashOf } from './definition.ts';
import { sourceErrors } from './errors.ts';
import type { SourceLimits } from './limits.ts';
import { type OutsideFetchOptions, createOutsideFetch } from './outside-fetch.ts';
import { BROKE_OFF, OneAnswerTransport } from './transport.ts';

export interface ConnectionOptions extends Omit<OutsideFetchOptions, 'answerBytesMax'> {
  readonly limits: SourceLimits;
  readonly scheduler: Scheduler;
}

export interface ListedTool {
  readonly tool: Tool;
  /** Of its definition. */
  readonly sha256: string;
}

/** A conversation with one outside server, in whichever revision of the protocol it speaks. */
export interface Connection {
  /** Connects and reads the whole list, in `openMs`. Rejects with `sources.*`; the connection is closed then. */
  open(signal: AbortSignal): Promise<ListedTool[]>;
  /** Rejects with `sources.*`, or with the signal's reason. */
  call(tool: Tool, args: Json, signal: AbortSignal): Promise<CallToolResult>;
  /** Idempotent. */
  close(): void;
}

/** Tells nothing of this installation. */
const CLIENT_INFO = { name: 'jellyfaas', version: '0' };
/** Longer than anything may take here: deadlines are the signals'. */
const TIMEOUT_MS = 3_600_000;
/** For telling a server that keeps sessions that this one is over. */
const GOODBYE_MS = 2_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { name, url, limits, scheduler } = options;
  const outside = createOutsideFetch({ ...options, answerBytesMax: limits.answerBytesMax });
  const transport = new OneAnswerTransport(url, outside.fetch);
  // No capability: what a server asks of us (sampling, elicitation, roots) is refused.
  const client = new Client(CLIENT_INFO, {
    versionNegotiation: { mode: 'auto' },
    inputRequired: { autoFulfill: false },
  });
  const ending = new AbortController();

  /** Whatever is thrown leaves as a signal's reason or in our own words. */
  async function guard<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const either = AbortSignal.any([signal, ending.signal]);
    try {
      return await orAborted(work(either), either);
    } catch (thrown) {
      if (either.aborted) throw either.reason;
      if (thrown instanceof PlatformError) throw thrown;
      throw outside.takeFailure() ?? sourceErrors.badAnswer(name);
    }
  }

  function close(): void {
    if (ending.signal.aborted) return;
    ending.abort(sourceErrors.badAnswer(name));
    const cut = (): void => {
      timer.close();
      outside.close();
    };
    const timer = scheduler.after(GOODBYE_MS, cut);
    void transport.goodbye().then(cut, cut);
  }

  return {
    async open(signal) {
      const late = new AbortController();
      const timer = scheduler.after(limits.openMs, () => late.abort(sourceErrors.timeout(name)));
      try {
        return await guard(AbortSignal.any([signal, late.signal]), async (either) => {
          await client.connect(transport, { signal: either, timeout: TIMEOUT_MS });
          return await listTools(client, options, either);
        });
      } catch (thrown) {
        close();
        throw thrown;
      } finally {
        timer.close();
      }
    },
    call: ({ name: tool, inputSchema }, args, signal) =>
      guard(signal, (either) => {
        const params = { name: tool, arguments: args as Record<string, unknown> };
        // Without its output schema: results become text, and compiling a stranger's schema costs.
        const toolDefinition = { name: tool, inputSchema };
        return client
          .callTool(params, { signal: either, timeout: TIMEOUT_MS, toolDefinition })
          .catch(refusalOf);
      }),
    close,
  };
}

/** What a server refuses by the protocol is a result too, so that the model can react to it. */
function refusalOf(thrown: unknown): CallToolResult {
  if (!(thrown instanceof ProtocolError) || thrown.code === BROKE_OFF) throw thrown;
  return { isError: true, content: [{ type: 'text', text: thrown.message }] };
}

/** Not the SDK's own `listTools`, which writes names of tools that it refuses to the console. */
async function listTools(
  client: Client,
  { name, limits }: ConnectionOptions,
  signal: AbortSignal,
): Promise<ListedTool[]> {
  const tools: Tool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < limits.pagesMax; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const result = await client.request({ method: 'tools/list', params }, { signal, timeout: TIMEOUT_MS });
    tools.push(...result.tools);
    cursor = result.nextCursor;
    if (tools.length > limits.toolsMax) break;
    if (cursor !== undefined) continue;
    if (new Set(tools.map((tool) => tool.name)).size < tools.length) throw sourceErrors.badAnswer(name);
    return tools.map((tool) => ({ tool, sha256: hashOf(tool) }));
  }
  throw sourceErrors.tooManyTools(name, limits.toolsMax);
}
