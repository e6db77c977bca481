import { connect } from 'node:net';
import type { LibraryChange } from '../../calls/deployment.ts';
import { createEventLog } from '../../kernel/events.ts';
import { fakeAi } from '../ai/testing/fake-ai.ts';
import { fakeTools } from '../mcp/testing/fake-tools.ts';
import { fakeSql } from '../sql/testing/fake-sql.ts';
import { fakeVectors } from '../vectors/testing/fake-vectors.ts';
import { type Metrics, createMetrics } from '../metrics.ts';
import { type Gateway, type GatewayOptions, createGateway } from '../server.ts';
import { fakeFunctions } from './fake-functions.ts';
import { NOW, OWNER_KEY, fakeAccounts, fakeCalls, fakeConsole, fakeRuntimes } from './fakes.ts';

export type Fakes = ReturnType<typeof createFakes>;

function createFakes() {
  const log: string[] = [];
  const tools = fakeTools();
  const watchers: ((change: LibraryChange) => void)[] = [];
  return {
    tools,
    ai: fakeAi(),
    sql: fakeSql(),
    vectors: fakeVectors(),
    /** Tells the gateway that functions came, changed or went. */
    changeLibrary: (change: LibraryChange) => watchers.forEach((watcher) => watcher(change)),
    mcp: {
      tools,
      originIp: () => '192.0.2.1',
      onLibraryChanged: (watcher: (change: LibraryChange) => void) => void watchers.push(watcher),
    },
    accounts: fakeAccounts(),
    functions: fakeFunctions(),
    console: fakeConsole(),
    calls: fakeCalls(),
    events: createEventLog(
      (line) => log.push(line),
      () => NOW,
    ),
    metrics: createMetrics({
      instances: () => [{ runtime: 'nodejs24', count: 2 }],
      waitingCalls: () => 0,
      droppedEvents: () => 0,
    }) as Metrics,
    /** Lines that the platform logged. */
    log,
  };
}

export interface RunningGateway {
  readonly url: string;
  readonly port: number;
  readonly fakes: Fakes;
  readonly gateway: Gateway;
  /** A request with the owner's key unless headers say otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends bytes as they are and resolves with everything that comes back until the connection closes. */
  raw(request: string): Promise<string>;
}

/** The real gateway over real HTTP on a free port, with the parts behind it faked. */
export async function startGateway(over: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
  const fakes = createFakes();
  const gateway = createGateway({
    ...fakes,
    receiptKey: { kty: 'OKP', crv: 'Ed25519', x: 'fake' },
    runtimes: fakeRuntimes,
    clock: { now: () => NOW, monotonicMs: () => 0 },
    version: '1.2.3',
    ready: () => true,
    dataPlane: (_req, res, deploymentId) => res.end(`called ${deploymentId}`),
    ...over,
  });
  const { port } = await gateway.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    fakes,
    gateway,
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has('x-jf-apikey') && !headers.has('jfwt')) headers.set('x-jf-apikey', OWNER_KEY);
      return fetch(`${url}${path}`, { ...init, headers });
    },
    raw: (request) =>
      new Promise((resolve, reject) => {
        let answer = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(request));
        socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
      }),
  };
}

/** JSON of an answer, for assertions. */
export async function json(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}
