import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import type { KeyPrincipal } from '../../../accounts/principal.ts';
import type { Deployment } from '../../../calls/deployment.ts';
import { systemScheduler } from '../../../kernel/scheduler.ts';
import { type Rig, type RigOptions, createRig, deploymentOf } from '../../../calls/testing/rig.ts';
import { systemClock } from '../../../kernel/clock.ts';
import type { AccountId, ApiKeyId } from '../../../kernel/ids.ts';
import { createDataPlane } from '../data-plane.ts';
import { createOriginReader } from '../origin-ip.ts';

export interface Plane {
  readonly rig: Rig;
  readonly port: number;
  /** `/<deployment id>` of the published probe; add path and query. */
  readonly base: string;
  readonly deployments: Map<string, Deployment>;
  /** A connection to the gateway. */
  connect(): Socket;
  /** Sends bytes as they are and collects what comes until the connection ends. Add `Connection: close`. */
  exchange(request: string): Promise<string>;
  close(): Promise<void>;
}

export interface PlaneOptions extends RigOptions {
  readonly trustedProxies?: readonly string[];
}

/** The data plane behind a plain HTTP server; a token is the name of its account. */
export async function createPlane(options: PlaneOptions = {}): Promise<Plane> {
  const rig = await createRig(options);
  const probe = deploymentOf();
  const deployments = new Map<string, Deployment>([[probe.id, probe]]);
  const dataPlane = createDataPlane({
    accounts: { verifyToken: async (token) => (token.startsWith('acct_') ? principalOf(token) : undefined) },
    directory: { find: (id) => deployments.get(id) },
    invoke: rig.invoke,
    originOf: createOriginReader(options.trustedProxies ?? []),
    limits: rig.limits,
    clock: systemClock,
    scheduler: systemScheduler,
    events: { emit: () => undefined, dropped: () => 0 },
  });
  const server: Server = createServer((req, res) =>
    dataPlane(req, res, /^\/([^/?]*)/.exec(req.url ?? '')?.[1] ?? ''),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    rig,
    port,
    base: `/${probe.id}`,
    deployments,
    connect: () => connect(port, '127.0.0.1'),
    async exchange(request) {
      const socket = connect(port, '127.0.0.1');
      socket.write(request, 'latin1');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('latin1');
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await rig.close();
    },
  };
}

function principalOf(token: string): KeyPrincipal {
  return { accountId: token as AccountId, keyId: 'key_x' as ApiKeyId, role: 'member' };
}

/** The answer's body, chunks joined. */
export function bodyOf(answer: string): string {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  if (!/^transfer-encoding: chunked\r$/im.test(answer.slice(0, answer.indexOf('\r\n\r\n') + 2))) return body;
  let text = '';
  let rest = body;
  for (;;) {
    const size = Number.parseInt(rest, 16);
    if (!(size > 0)) return text;
    const start = rest.indexOf('\r\n') + 2;
    text += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
  }
}

export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly trailers: string[];
  readonly body: string;
}

export const echoOf = (answer: string): Echo =>
  JSON.parse(Buffer.from(bodyOf(answer), 'latin1').toString()) as Echo;
