import { zip } from './zip.ts';

/** A small HTTP client of the public contract: what any application could write. */
export interface Client {
  readonly url: string;
  readonly apiKey: string;
  token(): Promise<string>;
  core(
    method: string,
    path: string,
    body?: string | FormData,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** JSON to and from any path, with the API key; throws with status and answer when it is refused. */
  api<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T>;
  /** Uploads without waiting; the raw answer. */
  upload(folder: string, archive: Uint8Array): Promise<Response>;
  /** Uploads files and waits until they answer; throws with the tool's message on a bad build. */
  deploy(folder: string, files: Record<string, string | Uint8Array>): Promise<Deployed>;
  /** Calls `path` below a deployment (a path may carry a query). */
  call(deployment: Deployed, path?: string, init?: RequestInit): Promise<Response>;
}

export interface Deployed {
  readonly shortname: string;
  readonly version: number;
  /** Full URL of the deployment. */
  readonly url: string;
  readonly deploymentId: string;
  readonly runtimeDetail: string;
}

interface DeployAnswer {
  function_id: string;
  deployingVersion?: number;
  runtimeDetail?: string;
  deployedDetails: { opid: string; urlLocation: string }[];
}

export function createClient(url: string, apiKey: string): Client {
  let cached: string | undefined;
  const client: Client = {
    url,
    apiKey,
    async token() {
      if (cached !== undefined) return cached;
      const response = await fetch(`${url}/auth-service/v1/validate`, { headers: { 'x-jf-apikey': apiKey } });
      if (response.status !== 200)
        throw new Error(`validate answered ${response.status}: ${await response.text()}`);
      cached = ((await response.json()) as { token: string }).token;
      return cached;
    },
    core: (method, path, body, headers) =>
      fetch(`${url}/core-service/v1${path}`, {
        method,
        headers: {
          'x-jf-apikey': apiKey,
          ...(typeof body === 'string' && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body ?? null,
      }),
    async api<T>(method: string, path: string, body?: object): Promise<T> {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { 'x-jf-apikey': apiKey, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      const answer = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${answer}`);
      return JSON.parse(answer) as T;
    },
    upload: (folder, archive) => {
      const form = new FormData();
      form.set(
        'file',
        new Blob([archive as Uint8Array<ArrayBuffer>], { type: 'application/zip' }),
        `${folder}.zip`,
      );
      return client.core('POST', '/upload', form);
    },
    async deploy(folder, files) {
      const response = await client.upload(folder, await zip(folder, files));
      if (response.status !== 200)
        throw new Error(`upload answered ${response.status}: ${await response.text()}`);
      const answer = (await response.json()) as DeployAnswer;
      const operation = answer.deployedDetails[0];
      if (operation === undefined) throw new Error('upload answered no operation');
      await waitUntilDeployed(client, operation.opid, answer.function_id);
      return {
        shortname: answer.function_id,
        version: answer.deployingVersion ?? 1,
        url: operation.urlLocation,
        deploymentId: new URL(operation.urlLocation).pathname.slice(1),
        runtimeDetail: answer.runtimeDetail ?? '',
      };
    },
    call: async (deployment, path = '', init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has('jfwt')) headers.set('jfwt', await client.token());
      return fetch(`${url}/${deployment.deploymentId}${path}`, { ...init, headers });
    },
  };
  return client;
}

/** Follows the build's event stream to its end. */
async function waitUntilDeployed(client: Client, buildId: string, shortname: string): Promise<void> {
  const response = await fetch(`${client.url}/api/v1/builds/${buildId}/events`, {
    headers: { 'x-jf-apikey': client.apiKey },
  });
  const text = await response.text();
  const status = await client.core('GET', `/upload/${buildId}/${shortname}`);
  const answer = (await status.json()) as { status?: string };
  if (answer.status !== 'DEPLOYED')
    throw new Error(`build ended as ${answer.status ?? status.status}:\n${text.slice(-4000)}`);
}
