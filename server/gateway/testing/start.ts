import { connect } from 'node:net';
import type { LibraryChange } from '../../calls/deployment.ts';
import type { Clock } from '../../kernel/clock.ts';
import { createEventLog } from '../../kernel/events.ts';
import { systemScheduler } from '../../kernel/scheduler.ts';
import { createSignIn } from '../../sign-in/sign-in.ts';
import { createPortalFiles } from '../portal/portal-files.ts';
import { fakeAi } from '../ai/testing/fake-ai.ts';
import { fakeAimee } from '../aimee/testing/fake-aimee.ts';
import { fakeTools } from '../mcp/testing/fake-tools.ts';
import { fakeSql } from '../sql/testing/fake-sql.ts';
import { fakeVectors } from '../vectors/testing/fake-vectors.ts';
import { type Metrics, createMetrics } from '../metrics.ts';
import { type Gateway, type GatewayOptions, createGateway } from '../server.ts';
import { fakeFunctions } from './fake-functions.ts';
import { fakeRights } from './fake-rights.ts';
import {
  NOW,
  OWNER_KEY,
  fakeAccounts,
  fakeBackups,
  fakeKeyRotation,
  fakeCalls,
  fakeConsole,
  fakeContract,
  fakeProfile,
  fakeRuntimes,
  fakeStatement,
} from './fakes.ts';

/** What our pages and the browser send along with every request. */
export const PAGE = { 'x-jellyfaas-portal': '1', 'sec-fetch-site': 'same-origin' };

const fixedClock: Clock = { now: () => NOW, monotonicMs: () => 0 };

export type Fakes = ReturnType<typeof createFakes>;

function createFakes() {
  const accounts = fakeAccounts();
  const signIn = createSignIn({ accounts, clock: fixedClock, scheduler: systemScheduler });
  const log: string[] = [];
  const tools = fakeTools();
  const watchers: ((change: LibraryChange) => void)[] = [];
  return {
    tools,
    ai: fakeAi(),
    sql: fakeSql(),
    vectors: fakeVectors(),
    aimee: fakeAimee(),
    /** Tells the gateway that functions came, changed or went. */
    changeLibrary: (change: LibraryChange) => watchers.forEach((watcher) => watcher(change)),
    mcp: {
      tools,
      originIp: () => '192.0.2.1',
      onLibraryChanged: (watcher: (change: LibraryChange) => void) => void watchers.push(watcher),
    },
    accounts,
    /** Real sessions of the faked accounts; the portal's own pages are not built. */
    portal: { signIn, files: createPortalFiles('/nowhere') },
    profile: fakeProfile,
    rights: fakeRights(),
    privacy: fakeStatement,
    privacyContract: fakeContract,
    backups: fakeBackups,
    keyRotation: fakeKeyRotation,
    functions: fakeFunctions(),
    console: fakeConsole(),
    calls: fakeCalls(),
    pool: { instancesOf: () => 1 },
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
  /** Headers of the portal's pages after a sign-in with this API key; the owner's if absent. */
  portal(apiKey?: string): Promise<Record<string, string>>;
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
    clock: fixedClock,
    version: '1.2.3',
    ready: () => true,
    dataPlane: (_req, res, deploymentId) => res.end(`called ${deploymentId}`),
    ohttpKeys: (_req, res, deploymentId) => res.end(`keys of ${deploymentId}`),
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
    portal: async (apiKey = OWNER_KEY) => {
      const { cookie } = await fakes.portal.signIn.beginWithKey(apiKey);
      return { ...PAGE, cookie: `__Host-jellyfaas=${cookie.reveal()}` };
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
