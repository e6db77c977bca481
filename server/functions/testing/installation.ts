import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { Principal } from '../../accounts/principal.ts';
import type { CallStatistics } from '../../calls/call-record.ts';
import type { Deployment } from '../../calls/deployment.ts';
import { createEventLog } from '../../kernel/events.ts';
import { newId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import { createKeyRing, type KeyRing } from '../../keys/key-ring.ts';
import type { BuildRequest, BuiltFunction, Language } from '../../languages/language.ts';
import { openFunctionStore } from '../../stores/function-store.ts';
import { openKeyStore } from '../../stores/key-store.ts';
import { createFunctions } from '../create-functions.ts';
import type { FunctionStore } from '../function-store.ts';
import type { BuildEvent, Functions, StartedDeploy } from '../functions.ts';

/**
 * The control plane over its real encrypted stores in a directory of its own. Languages and the first start of
 * an instance are ports: `build` and `smokeTest` say what they do.
 */
export interface Installation {
  functions: Functions;
  readonly dir: string;
  keyRing: KeyRing;
  store: FunctionStore;
  /** Answers the source as the built code unless a test replaces it. */
  build: (request: BuildRequest) => Promise<BuiltFunction>;
  smokeTest: (deployment: Deployment, signal: AbortSignal) => Promise<void>;
  statistics: ReadonlyMap<number, CallStatistics>;
  deadlineMs: number;
  readonly now: { ms: number };
  /** Events as they were logged. */
  readonly logged: string[];
  /** A new process over the same directory; the old one just stops being asked, as after kill -9. */
  crash(): Promise<{ resumed: number }>;
  /** Deploys and follows the build to its end. */
  deployed(who: Principal, shortname: string, files?: Record<string, string>): Promise<Outcome>;
  /** Relative paths of everything below the blobs directory. */
  blobs(): string[];
  /** Everything that lies on disk. */
  everyByte(): Buffer;
  dispose(): Promise<void>;
}

export interface Outcome extends StartedDeploy {
  readonly buildId: string;
  readonly events: BuildEvent[];
}

export function person(role: Principal['role'] = 'member'): Principal {
  return { accountId: newId('acct'), keyId: newId('key'), role };
}

export async function createInstallation(): Promise<Installation> {
  const dir = mkdtempSync(join(tmpdir(), 'functions-'));
  const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
  const closers: (() => Promise<void>)[] = [];
  const now = { ms: Date.UTC(2026, 10, 23, 12) };
  const logged: string[] = [];

  async function start(): Promise<Functions> {
    const keyStore = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
    installation.keyRing = createKeyRing({ root, store: keyStore });
    const store = await openFunctionStore({ path: join(dir, 'functions.db'), keyRing: installation.keyRing });
    installation.store = store;
    const functions = createFunctions({
      store,
      keyRing: installation.keyRing,
      blobsDir: join(dir, 'blobs'),
      languages: (runtime) => (runtime === 'nodejs22' || runtime === 'java21' ? language : undefined),
      clock: { now: () => now.ms++, monotonicMs: () => performance.now() },
      events: createEventLog((line) => logged.push(line), Date.now),
      statistics: async () => installation.statistics,
      accountName: async (accountId) => `name of ${accountId}`,
      smokeTest: (deployment, signal) => installation.smokeTest(deployment, signal),
      buildConcurrency: 1,
      buildDeadlineMs: installation.deadlineMs,
    });
    closers.push(async () => {
      await functions.close();
      await store.close();
      await keyStore.close();
    });
    return functions;
  }

  const language: Language = {
    runtimes: [
      { id: 'nodejs22', available: true, detail: 'Node 22.23.3' },
      { id: 'java21', available: false, detail: 'Install the package openjdk-21-jdk-headless.' },
    ],
    build: (request) => installation.build(request),
    worker: () => Promise.reject(new Error('no workers here')),
  };
  const installation: Installation = {
    ...({} as Pick<Installation, 'functions' | 'keyRing' | 'store'>),
    dir,
    now,
    logged,
    deadlineMs: 600_000,
    statistics: new Map(),
    build: async ({ source }) => ({ code: source, layer: null, runtimeDetail: 'Node 22.23.3' }),
    smokeTest: async () => undefined,
    async crash() {
      installation.functions = await start();
      return await installation.functions.recover();
    },
    async deployed(who, shortname, files = {}) {
      const started = await installation.functions.deploy(who, await archive(shortname, files));
      const buildId = started.operations[0]?.buildId ?? '';
      return { ...started, buildId, events: await follow(installation.functions, who, buildId) };
    },
    blobs: () => filesBelow(join(dir, 'blobs')),
    everyByte: () => Buffer.concat(filesBelow(dir).map((path) => readFileSync(join(dir, path)))),
    async dispose() {
      for (const close of closers.toReversed()) await close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  installation.functions = await start();
  await installation.functions.recover();
  return installation;
}

export async function follow(functions: Functions, who: Principal, buildId: string): Promise<BuildEvent[]> {
  const events: BuildEvent[] = [];
  for await (const event of functions.watchBuild(who, buildId, new AbortController().signal)) {
    events.push(event);
  }
  return events;
}

/** An upload of the function `shortname`; `files` replace or add to the least that there must be. */
export async function archive(shortname: string, files: Record<string, string> = {}): Promise<Buffer> {
  const spec = { name: `The ${shortname}`, shortname, runtime: 'nodejs22', entrypoint: 'Example' };
  const zip = new ZipFile();
  const content = { 'jellyspec.json': JSON.stringify(spec), 'index.js': '// nothing', ...files };
  for (const [path, text] of Object.entries(content))
    zip.addBuffer(Buffer.from(text), `${shortname}/${path}`);
  zip.end();
  return await buffer(zip.outputStream);
}

export function specWith(shortname: string, change: Record<string, unknown>): Record<string, string> {
  const spec = { name: shortname, shortname, runtime: 'nodejs22', entrypoint: 'Example', ...change };
  return { 'jellyspec.json': JSON.stringify(spec) };
}

/** The deployment ids of a version, for a look into the directory. */
export function idsOf(started: StartedDeploy): string[] {
  return started.operations.map(({ deploymentId }) => deploymentId);
}

function filesBelow(dir: string): string[] {
  return (readdirSync(dir, { recursive: true, encoding: 'utf8' }) as string[])
    .filter((path) => statSync(join(dir, path)).isFile())
    .toSorted();
}
