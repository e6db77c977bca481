import { type Client, type Deployed } from '../testkit/index.ts';
import {
  type Bytes,
  type KeyConfig,
  MEDIA_TYPES,
  type RequestHead,
  bindingOf,
  collect,
  decodeResponse,
  encodeRequest,
  encodeRequestStream,
  parseKeyConfigs,
  sealRequest,
  sealRequestStream,
} from '../clients/sdk/src/sealed/index.ts';

export interface SealedAnswer {
  /** What the gateway and the network see. */
  readonly outer: Response;
  /** What the caller sees; undefined for what was not answered in a sealed way. */
  readonly inner: { readonly status: number; readonly headers: Headers; readonly text: string } | undefined;
}

export interface SealedCall extends Partial<RequestHead> {
  readonly content?: Uint8Array | string;
}

/** Sealed calls of one deployment by one account, each step to be had apart. */
export interface SealedCaller {
  keys(): Promise<Response>;
  config(): Promise<KeyConfig>;
  /** Sealed in one piece, with the present key unless another one is given. */
  call(request?: SealedCall, config?: KeyConfig): Promise<SealedAnswer>;
  /** The plaintext of a sealed stream as it comes. */
  stream(request: SealedCall): AsyncGenerator<string>;
  seal(request: SealedCall, config?: KeyConfig): ReturnType<typeof sealRequest>;
  post(body: Bytes | ReadableStream, type?: string): Promise<Response>;
}

export function createSealedCaller(client: Client, deployment: Deployed): SealedCaller {
  const binding = bindingOf(deployment.deploymentId);
  const caller: SealedCaller = {
    async keys() {
      const url = `${client.url}/.well-known/ohttp-keys/${deployment.deploymentId}`;
      return fetch(url, { headers: { jfwt: await client.token() } });
    },
    async config() {
      const response = await caller.keys();
      if (response.status !== 200) throw new Error(`keys: ${response.status} ${await response.text()}`);
      const [config] = parseKeyConfigs(new Uint8Array(await response.arrayBuffer()));
      if (config === undefined) throw new Error('no key');
      return config;
    },
    async seal({ content = '', ...head }, config) {
      const message = encodeRequest({ ...HEAD, ...head }, Buffer.from(content));
      return sealRequest(config ?? (await caller.config()), binding, message);
    },
    post: (body, type = MEDIA_TYPES.request) =>
      client.call(deployment, '', {
        method: 'POST',
        body,
        headers: { 'content-type': type },
        ...(body instanceof ReadableStream && { duplex: 'half' }),
      }),
    async call(request = {}, config) {
      const sealed = await caller.seal(request, config);
      const outer = await caller.post(sealed.body);
      if (outer.headers.get('content-type') !== MEDIA_TYPES.response) return { outer, inner: undefined };
      const opened = await sealed.openResponse(new Uint8Array(await outer.arrayBuffer()));
      const { status, headers, content } = await decodeResponse(opened);
      const text = Buffer.from(await collect(content)).toString();
      return { outer, inner: { status, headers: new Headers(headers as [string, string][]), text } };
    },
    async *stream({ content = '', ...head }) {
      const message = encodeRequestStream({ ...HEAD, ...head }, once(Buffer.from(content)));
      const sealed = await sealRequestStream(await caller.config(), binding, message);
      const outer = await caller.post(ReadableStream.from(sealed.body), MEDIA_TYPES.chunkedRequest);
      if (outer.headers.get('content-type') !== MEDIA_TYPES.chunkedResponse || outer.body === null)
        throw new Error(`the stream was refused: ${outer.status} ${await outer.text()}`);
      const decoded = await decodeResponse(sealed.openResponse(outer.body as AsyncIterable<Uint8Array>));
      for await (const piece of decoded.content) yield Buffer.from(piece).toString();
    },
  };
  return caller;
}

const HEAD: RequestHead = { method: 'POST', scheme: 'https', authority: '', path: '/', headers: [] };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
