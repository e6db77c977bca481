import { PROFILE_ROWS_MAX } from '../contract/index.ts';
import { type ConsoleFeed, createConsole } from './calls/console.ts';
import type { DeploymentDirectory } from './calls/deployment.ts';
import { createInvoke, type Invoke } from './calls/invoke.ts';
import { type CallLimits, defaultCallLimits } from './calls/limits.ts';
import { createPool, type Pool } from './calls/pool.ts';
import { type Recorder, createRecorder } from './calls/recorder.ts';
import { keepCallRetention } from './calls/retention.ts';
import { type Scheduler, systemScheduler } from './kernel/scheduler.ts';
import { composeAi } from './compose-ai.ts';
import { type ComposedAimee, composeAimee } from './compose-aimee.ts';
import { type ComposedDesk, composeDesk } from './compose-desk.ts';
import { type DataEngines, composeData } from './compose-data.ts';
import { type Stores, openStores } from './compose-stores.ts';
import { composeRights } from './compose-rights.ts';
import { composeErasure, composeKeepers } from './compose-keepers.ts';
import { composePrivacy } from './compose-privacy.ts';
import { type NewOwner, composeOwner } from './compose-owner.ts';
import { composeKeyRotation } from './compose-key-rotation.ts';
import { composePortal } from './compose-portal.ts';
import type { Config } from './config.ts';
import { createFunctions } from './functions/create-functions.ts';
import type { Functions } from './functions/functions.ts';
import { createDataPlane } from './gateway/data/data-plane.ts';
import { createOhttpKeys } from './gateway/data/ohttp-keys.ts';
import { type OriginReader, createOriginReader } from './gateway/data/origin-ip.ts';
import { createMetrics, type Metrics } from './gateway/metrics.ts';
import { type GatewayOptions, createGateway } from './gateway/server.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { LayerId } from './kernel/ids.ts';
import { createLifecycle, type Lifecycle } from './kernel/lifecycle.ts';
import { type Languages, openLanguages } from './languages/languages.ts';
import type { Models } from './models/chat-model.ts';
import type { Jail, Limitation } from './sandbox/jail.ts';
import { swapLimitations } from './sandbox/swap.ts';
import type { FunctionStore } from './functions/function-store.ts';
import { createProfile } from './profile/profile.ts';
import { guarded } from './rights/guarded.ts';
import type { Copier } from './rights/copier.ts';
import { createToolSourcesCopier } from './tool-sources/copier.ts';

/** The composition root: everything is built here, top to bottom, and closed in reverse order. */
export interface Platform {
  readonly publicUrl: string;
  readonly address: { readonly host: string; readonly port: number };
  /** When this start has made one. */
  readonly newOwner: NewOwner | undefined;
  readonly limitations: readonly Limitation[];
  readonly sandbox: Jail['kind'];
  /** Drains and closes everything; names of what failed to close in time. */
  close(): Promise<string[]>;
}

export interface Parts {
  readonly config: Config;
  readonly version: string;
  readonly jail: Jail;
  readonly events: EventLog;
  /** Hears of an owner who comes to be while the platform runs. */
  readonly onNewOwner: (owner: NewOwner) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

/** Workers are booted ahead for the newest functions; the pool's own bounds hold. */
const PRIMED_AT_START = 8;
const CLOSE_DEADLINE_MS = 20_000;

export async function compose({
  clock = systemClock,
  scheduler = systemScheduler,
  ...given
}: Parts): Promise<Platform> {
  const parts = { ...given, clock, scheduler };
  const lifecycle = createLifecycle();
  lifecycle.onClose('sandbox', () => parts.jail.close());
  try {
    return await start(parts, lifecycle);
  } catch (error) {
    await lifecycle.close(CLOSE_DEADLINE_MS);
    throw error;
  }
}

/** What runs functions: languages, pool, recorder and the one way through them. */
interface CallPath {
  readonly languages: Languages;
  readonly console: ConsoleFeed;
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly invoke: Invoke;
  readonly recorder: Recorder;
  readonly limits: CallLimits;
}

async function start(parts: Required<Parts>, lifecycle: Lifecycle): Promise<Platform> {
  const { clock, events } = parts;
  const stores = await openStores(parts, lifecycle);
  const retention = keepCallRetention({
    ...parts,
    calls: stores.calls,
    retentionDays: parts.config.callRetentionDays,
  });
  lifecycle.onClose('retention', () => retention.close());
  await retention.first;
  const desk = composeDesk(parts.config, stores.accounts);
  const directory = (): DeploymentDirectory => functions.directory;
  const callPath = await openCallPath(parts, { stores, lifecycle, directory, desk });
  const { pool, languages, metrics } = callPath;
  const functions: Functions = createFunctions({
    store: stores.functions,
    restriction: stores.restriction,
    keyRing: stores.keyRing,
    blobsDir: stores.blobs,
    languages: (runtime) => languages.find(runtime),
    clock,
    events,
    statistics: (functionId) => stores.calls.statistics(functionId),
    accountName: async (id) => (await stores.accounts.get(id)).name,
    smokeTest: (deployment, signal) => pool.smokeTest(deployment, signal),
    buildEnded: (ok, tookMs) => metrics.buildEnded(ok, tookMs),
    buildConcurrency: parts.config.parallelBuilds,
  });
  lifecycle.onClose('builds', () => functions.close());
  functions.directory.onRetired((id) => pool.retire(id));
  await functions.recover();
  for (const deployment of functions.directory.recent(PRIMED_AT_START)) pool.prime(deployment);
  await languages.collect(await layersInUse(stores.functions));
  if (parts.config.prepareRuntimes) prepareInBackground(languages, lifecycle);
  return listen(parts, {
    desk,
    lifecycle,
    stores,
    callPath,
    functions: guarded(functions, stores.restriction),
  });
}

async function openCallPath(
  { config, clock, scheduler, events, jail }: Required<Parts>,
  {
    stores,
    lifecycle,
    directory,
    desk,
  }: { stores: Stores; lifecycle: Lifecycle; directory: () => DeploymentDirectory; desk: ComposedDesk },
): Promise<CallPath> {
  const limits: CallLimits = {
    ...defaultCallLimits(),
    poolMemoryMib: config.poolMemoryMib,
    idleMs: config.instanceIdleSeconds * 1000,
    prebootTotal: config.prebootedWorkers,
    requestBodyBytesMax: config.maxBodyMib * 1_048_576,
    sealedKeyLifeMs: config.sealedKeySeconds * 1000,
  };
  const languages = await openLanguages({ jail, layerDirectory: stores.layers });
  const console = createConsole(scheduler);
  const metrics = createMetrics({
    instances: () => [...pool.status().instances].map(([runtime, count]) => ({ runtime, count })),
    waitingCalls: () => pool.status().waiting,
    droppedEvents: () => events.dropped(),
  });
  const recorder = createRecorder({ ...stores, store: stores.calls, clock, scheduler, events, limits });
  lifecycle.onClose('call recorder', () => recorder.close());
  const pool: Pool = createPool({
    jail,
    languages: desk.workers(languages),
    loadCode: desk.loadCode((deployment) => directory().loadCode(deployment)),
    limits,
    clock,
    scheduler,
    events,
    console,
    metrics,
  });
  lifecycle.onClose('instances', () => pool.close());
  const invoke = createInvoke({ pool, recorder, clock, scheduler, metrics });
  return { languages, console, metrics, pool, invoke, recorder, limits };
}

/** Nobody waits for it; the end of the platform calls it off. */
function prepareInBackground(languages: Languages, lifecycle: Lifecycle): void {
  const ending = new AbortController();
  lifecycle.onClose('preparation', () => ending.abort());
  void languages.prepare(ending.signal);
}

async function layersInUse(store: FunctionStore): Promise<Set<LayerId>> {
  const live = await store.liveVersions();
  return new Set(live.map(({ version }) => version.layer).filter((layer) => layer !== null));
}

interface Built {
  readonly desk: ComposedDesk;
  readonly lifecycle: Lifecycle;
  readonly stores: Stores;
  readonly callPath: CallPath;
  readonly functions: Functions;
}

interface Foundations extends Omit<Built, 'desk'> {
  readonly originOf: OriginReader;
}

interface Services extends Pick<GatewayOptions, 'ai' | 'mcp' | 'sql' | 'vectors'> {
  readonly models: Models;
  readonly engines: DataEngines;
  readonly aimee: ComposedAimee;
  readonly copiers: readonly Copier[];
}

/** What stands on functions, models and engines. */
async function composeServices(
  parts: Required<Parts>,
  { lifecycle, stores, callPath, functions, originOf }: Foundations,
): Promise<Services> {
  const { invoke, recorder } = callPath;
  const { keyRing, receipts, restriction, databases } = stores;
  const { models, tools, ...aiDoors } = composeAi({
    ...parts,
    lifecycle,
    functions,
    invoke,
    recorder,
    choices: stores.modelChoices,
    toolSources: stores.toolSources,
    originOf,
  });
  const shared = { ...parts, lifecycle, recorder, models, tools, originIp: aiDoors.ai.originIp };
  const { engines, copiers, ...data } = composeData({ ...shared, databases, restriction });
  const aimee = await composeAimee({
    ...shared,
    engines,
    keyRing,
    receipts,
    restriction,
    stores: stores.aimee,
  });
  return {
    models,
    engines,
    ...aiDoors,
    ...data,
    aimee,
    // Sites name functions that have to be there before.
    copiers: [
      functions.copier,
      ...copiers,
      createToolSourcesCopier(stores.toolSources, aiDoors.ai.sources),
      aimee.service.copier,
    ],
  };
}

/** The way of calls, of functions and of what is sealed to the platform. */
function planesOf(
  parts: Required<Parts>,
  { desk, stores, callPath, functions, originOf }: Omit<Foundations, 'lifecycle'> & Pick<Built, 'desk'>,
): Pick<GatewayOptions, 'dataPlane' | 'ohttpKeys'> {
  const shared = { ...parts, ...stores, ...callPath, directory: desk.directory(functions.directory) };
  return {
    dataPlane: createDataPlane({ ...shared, originOf, passes: desk.passes }),
    ohttpKeys: createOhttpKeys(shared),
  };
}

async function listen(
  parts: Required<Parts>,
  { desk, lifecycle, stores, callPath, functions }: Built,
): Promise<Platform> {
  const { config, clock, events, jail, version } = parts;
  const { accounts } = stores;
  const originOf = createOriginReader(config.trustedProxies);
  const { languages, pool } = callPath;
  const { models, engines, copiers, ...doors } = await composeServices(parts, {
    lifecycle,
    stores,
    callPath,
    functions,
    originOf,
  });
  const { directory } = functions;
  desk.open({ ...parts, ...stores, ...callPath, ...engines, directory, functions, models });
  const portal = composePortal({ ...parts, accounts, lifecycle });
  const aimee = doors.aimee.service;
  const keepers = composeKeepers({ ...stores, functions, languages, aimee });
  const published = await composePrivacy({ ...parts, models, receipts: stores.receipts });
  const { sessions } = portal.signIn;
  const owner = composeOwner({ accounts, ...portal, show: parts.onNewOwner });
  const erasure = await composeErasure({ ...parts, ...stores, keepers, pool, sessions, lifecycle, owner });
  // Behind what ends an owner: his keys, a preset one too, are then not given again.
  await owner.ensure(config.bootstrapApiKey);
  const gateway = createGateway({
    accounts,
    portal,
    profile: createProfile({ inventories: stores.inventories, rowsMax: PROFILE_ROWS_MAX }),
    ...published,
    rights: composeRights({ ...parts, ...published, lifecycle, stores, erasure, functions, aimee, copiers }),
    functions,
    calls: stores.calls,
    console: callPath.console,
    pool,
    runtimes: languages.runtimes,
    ...(stores.backups && { backups: stores.backups.backups }),
    keyRotation: composeKeyRotation({ ...parts, stores, functions, aimee }),
    receiptKey: stores.receipts.publicKey,
    metrics: callPath.metrics,
    events,
    clock,
    version,
    ...planesOf(parts, { desk, stores, callPath, functions, originOf }),
    publicUrl: config.publicUrl,
    ready: () => true,
    ...doors,
  });
  const { host, port, publicUrl } = await gateway.listen({ host: config.host, port: config.port });
  lifecycle.onClose('gateway', () => gateway.close(CLOSE_DEADLINE_MS));
  return {
    publicUrl,
    address: { host, port },
    newOwner: await owner.open(publicUrl),
    limitations: [...jail.limitations, ...(await swapLimitations())],
    sandbox: jail.kind,
    close: () => lifecycle.close(CLOSE_DEADLINE_MS + 5000),
  };
}
