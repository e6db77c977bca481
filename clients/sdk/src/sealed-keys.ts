import { unlessAborted } from './aborted.ts';
import { JellyFaaSError, failedAnswer, received } from './error.ts';
import { type KeyConfig, keyFingerprint, parseKeyConfigs } from './sealed/key-config.ts';
import { MalformedError } from './sealed/errors.ts';

/** A callable as its URL says it. */
export interface CallAddress {
  /** Of the server, without trailing slash. */
  readonly base: string;
  readonly deploymentId: string;
  /** Below the deployment, with the query: what the function sees. */
  readonly path: string;
}

interface FetchedKey {
  readonly config: KeyConfig;
  readonly usableUntil: number;
}

const KEYS_MAX = 1000;
const SIGNATURE_TYPE = 'jellyfaas-ohttp-keys';

/** The keys to which one account seals calls: fetched once, shared by all calls, renewed when they end. */
export class SealedKeys {
  readonly #get: (url: string) => Promise<Response>;
  readonly #installationKey: string | undefined;
  readonly #known = new Map<string, FetchedKey>();
  readonly #fetching = new Map<string, Promise<FetchedKey>>();

  /** `get` sends the token along. Keys are taken only with the signature of `installationKey`, where it is given. */
  constructor(get: (url: string) => Promise<Response>, installationKey: string | undefined) {
    this.#get = get;
    this.#installationKey = installationKey;
  }

  /** The key that is known, unless it has expired or was refused. */
  async get(
    address: CallAddress,
    { signal, refused }: { signal?: AbortSignal | undefined; refused?: KeyConfig | undefined } = {},
  ): Promise<KeyConfig> {
    const url = `${address.base}/.well-known/ohttp-keys/${address.deploymentId}`;
    const known = this.#known.get(url);
    if (known !== undefined && known.config !== refused && known.usableUntil > Date.now())
      return known.config;
    let fetching = this.#fetching.get(url);
    if (fetching === undefined) {
      fetching = this.#fetch(url, address.deploymentId).finally(() => this.#fetching.delete(url));
      this.#fetching.set(url, fetching);
    }
    return (await unlessAborted(fetching, signal)).config;
  }

  async #fetch(url: string, deploymentId: string): Promise<FetchedKey> {
    const response = await this.#get(url);
    if (!response.ok) throw await failedAnswer(response);
    const list = new Uint8Array(await received(response.arrayBuffer(), undefined));
    if (this.#installationKey !== undefined) {
      const signature = response.headers.get('jellyfaas-key-signature') ?? '';
      const isSigned = await isSignedBy(this.#installationKey, signature, { deploymentId, list });
      if (!isSigned) throw notSigned();
    }
    const fetched = { config: firstOf(list), usableUntil: Date.now() + maxAgeMs(response) };
    if (this.#known.size >= KEYS_MAX) this.#known.clear();
    this.#known.set(url, fetched);
    return fetched;
  }
}

function firstOf(list: Uint8Array): KeyConfig {
  try {
    const [first] = parseKeyConfigs(list);
    if (first !== undefined) return first;
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
  throw unusableKeys();
}

function maxAgeMs(response: Response): number {
  const [, seconds = '0'] = /\bmax-age=(\d{1,5})\b/.exec(response.headers.get('cache-control') ?? '') ?? [];
  return Number(seconds) * 1000;
}

/** Whether a compact JWS is the installation's word for this list of keys and this deployment. */
async function isSignedBy(
  installationKey: string,
  jws: string,
  { deploymentId, list }: { deploymentId: string; list: Uint8Array },
): Promise<boolean> {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: installationKey };
    const key = await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['verify']);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    if (!(await crypto.subtle.verify('Ed25519', key, fromBase64Url(signature), signed))) return false;
    const { alg, typ } = parsed(header);
    const { deployment, sha256 } = parsed(payload);
    const isMeant = alg === 'EdDSA' && typ === SIGNATURE_TYPE && deployment === deploymentId;
    return isMeant && sha256 === (await keyFingerprint(list));
  } catch {
    return false;
  }
}

function parsed(part: string): Readonly<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(fromBase64Url(part))) as Record<string, unknown>;
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

export function unusableKeys(): JellyFaaSError {
  return new JellyFaaSError('The server offers no key for sealed calls that can be used here.', {
    errorId: 'sdk.keys_malformed',
  });
}

function notSigned(): JellyFaaSError {
  return new JellyFaaSError(
    'The keys for sealed calls are not signed by the installation whose key was given. Nothing was sent.',
    { errorId: 'sdk.keys_not_signed' },
  );
}
