import {
  type FetchLike,
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

type SendOptions = NonNullable<Parameters<StreamableHTTPClientTransport['send']>[1]>;

/** The code of a request's error when its stream ended without an answer; none that JSON-RPC reserves. */
export const BROKE_OFF = -31_999;

/**
 * One answer for each request, on the connection that asked: a stream that ends without it fails the request at once,
 * where the SDK would wait for more, and nothing is resumed.
 */
export class OneAnswerTransport extends StreamableHTTPClientTransport {
  constructor(url: URL, fetch: FetchLike) {
    super(url, {
      fetch,
      requestInit: { redirect: 'manual' },
      onInsufficientScope: 'throw',
      reconnectionOptions: {
        initialReconnectionDelay: 0,
        maxReconnectionDelay: 0,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 0,
      },
    });
  }

  override async send(message: JSONRPCMessage | JSONRPCMessage[], options: SendOptions = {}): Promise<void> {
    await super.send(message, {
      ...options,
      onRequestStreamEnd: () => {
        options.onRequestStreamEnd?.();
        if (Array.isArray(message) || !('id' in message) || message.id === undefined) return;
        // Of a request that was answered, the client takes no second answer.
        const error = { code: BROKE_OFF, message: 'the stream ended without an answer' };
        this.onmessage?.({ jsonrpc: '2.0', id: message.id, error });
      },
    });
  }

  /** Ends the session, where the server keeps one, and the transport. */
  async goodbye(): Promise<void> {
    await this.terminateSession().catch(() => undefined);
    await this.close();
  }
}
