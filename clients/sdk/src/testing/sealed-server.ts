import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  type Bytes,
  type Field,
  type KeyPair,
  OpeningError,
  type RequestHead,
  bindingOf,
  collect,
  decodeRequest,
  encodeKeyConfigs,
  encodeResponseStream,
  generateKeyPair,
  openRequestStream,
} from '../sealed/index.ts';
import { pieces } from '../sealed/testing/rig.ts';

export const TOKEN = 'the-token';
export const DEPLOYMENT = 'greeter-d4hq7r3c1ab2cd3ef4gh-2-s';

/** What came out of the seal. */
export interface Opened extends RequestHead {
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: readonly Field[];
  readonly content?: AsyncIterable<Uint8Array>;
}

/** What a hostile or merely odd gateway does on the way; undefined leaves it to the server. */
export interface Interference {
  readonly body?: (sealed: AsyncIterable<Bytes>) => AsyncIterable<Uint8Array>;
  /** Instead of the answer to a sealed call. */
  readonly instead?: (res: ServerResponse) => boolean;
  readonly keys?: (configs: Uint8Array) => Uint8Array;
  readonly signature?: (jws: string) => string;
}

export interface SealedServer {
  readonly url: string;
  readonly installationKey: string;
  /** `METHOD path`, in order. */
  readonly asked: string[];
  readonly opened: Opened[];
  /** Every byte that came in or went out, as a tap between would see it. */
  wire(): Buffer;
  interfere: Interference;
  /** As after a restart: requests to the old key do not open any more, whatever id the new one has. */
  forgetKeys(newKeyId?: number): Promise<void>;
  close(): void;
}

/** The server's half of sealed calls over a real socket, with a gateway that can be told to misbehave. */
export async function startSealedServer(answer: (request: Opened) => Reply): Promise<SealedServer> {
  const signer = newSigner();
  let pair = await generateKeyPair(7);
  const wire: Uint8Array[] = [];
  const server = createServer((req, res) => {
    state.asked.push(`${req.method} ${req.url}`);
    respond(req, res).catch(() => res.destroy());
  });

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = req.url ?? '';
    if (url.startsWith('/auth-service/v1/validate')) {
      json(res, 200, { token: TOKEN, expiry: new Date(Date.now() + 3_600_000) });
    } else if (url.startsWith('/auth-service/v1/lookup')) {
      json(res, 200, { dns: `${state.url}/${DEPLOYMENT}`, requirements: REQUIREMENTS });
    } else if (req.headers['jfwt'] !== TOKEN) {
      json(res, 403, { errorId: 'auth.invalid_token', errorMessage: 'No.' });
    } else if (url === `/.well-known/ohttp-keys/${DEPLOYMENT}`) giveKeys(res);
    else if (url === `/${DEPLOYMENT}`) await call(req, res);
    else json(res, 404, { errorId: 'deployment.not_found', errorMessage: 'Gone.' });
  }

  function giveKeys(res: ServerResponse): void {
    const { keys = (list) => list, signature = (jws) => jws } = state.interfere;
    const configs = encodeKeyConfigs([pair.config]);
    res
      .writeHead(200, {
        'content-type': 'application/ohttp-keys',
        'cache-control': 'private, max-age=3300',
        'jellyfaas-key-signature': signature(signer.sign(configs)),
      })
      .end(keys(configs));
  }

  async function call(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await buffer(req);
    wire.push(Buffer.from(req.rawHeaders.join('\n')), body);
    if (state.interfere.instead?.(res) === true) return;
    const exchange = await open(pair, body);
    if (exchange === undefined) {
      if (body[0] === pair.config.keyId) json(res, 400, NOT_OPENED);
      else json(res, 422, KEY_UNKNOWN);
      return;
    }
    const { status = 200, headers = [], content = pieces() } = answer(exchange.request);
    state.opened.push(exchange.request);
    res.writeHead(200, { 'content-type': 'message/ohttp-chunked-res' });
    const sealed = exchange.seal(encodeResponseStream({ status, headers }, content));
    for await (const piece of state.interfere.body?.(sealed) ?? sealed) {
      wire.push(piece);
      if (!res.write(piece)) await once(res, 'drain');
    }
    res.end();
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  const state: SealedServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    installationKey: signer.publicKey,
    asked: [],
    opened: [],
    wire: () => Buffer.concat(wire),
    interfere: {},
    forgetKeys: async (newKeyId = 8) => void (pair = await generateKeyPair(newKeyId)),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return state;
}

interface Signer {
  readonly publicKey: string;
  /** A compact JWS. */
  sign(configs: Uint8Array): string;
}

function newSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: String(publicKey.export({ format: 'jwk' }).x),
    sign(configs) {
      const sha256 = createHash('sha256').update(configs).digest('hex');
      const parts = [
        { alg: 'EdDSA', typ: 'jellyfaas-ohttp-keys' },
        { deployment: DEPLOYMENT, version: 2, sha256 },
      ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
      const signature = sign(null, Buffer.from(parts.join('.')), privateKey).toString('base64url');
      return [...parts, signature].join('.');
    },
  };
}

const KEY_UNKNOWN = {
  type: 'https://iana.org/assignments/http-problem-types#ohttp-key',
  code: 'calls.sealed_key_unknown',
  detail: 'Another key.',
};
export const NOT_OPENED = { code: 'calls.sealed_refused', detail: 'It does not open.' };

const REQUIREMENTS = {
  requestType: 'POST',
  inputType: 'JSON',
  outputType: 'JSON',
  queryParams: [],
  egress: [],
};

export function json(res: ServerResponse, status: number, value: unknown): ServerResponse {
  const body = JSON.stringify(value);
  return res
    .writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
    .end(body);
}

interface Exchange {
  readonly request: Opened;
  readonly seal: (response: AsyncIterable<Uint8Array>) => AsyncIterable<Bytes>;
}

async function open(pair: KeyPair, body: Uint8Array): Promise<Exchange | undefined> {
  try {
    const { request, sealResponse } = await openRequestStream([pair], bindingOf(DEPLOYMENT), pieces(body));
    const { content, trailers: _, ...head } = await decodeRequest(request);
    const text = new TextDecoder().decode(await collect(content));
    return { request: { ...head, body: text }, seal: sealResponse };
  } catch (error) {
    if (error instanceof OpeningError) return undefined;
    throw error;
  }
}
