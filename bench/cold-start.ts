import { setTimeout as delay } from 'node:timers/promises';
import { templateFiles } from '../testkit/zip.ts';
import {
  addressOf,
  type Bench,
  dataDirFor,
  type Measurement,
  requestText,
  type Running,
  withPlatform,
} from './bench.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

const MAIN = 'nodejs24';
const RUNTIMES = [MAIN, 'nodejs22', 'nodejs20', 'python312', 'go122', 'java21'];
/** Deployments that are called in turn, so that not every round waits for the shutdown of the last. */
const FUNCTIONS = 5;
/** Workers that the platform keeps booted for the runtime used last. */
const SHELF = 2;
const POLL_MS = 25;
const SETTLE_DEADLINE_MS = 30_000;

interface Rounds {
  readonly pooled: number;
  readonly bare: number;
}

/** First calls of deployments that were scaled to zero, with and without workers that stand booted. */
export const measureColdStart: Measurement = async (bench) => {
  const rows: Row[] = [];
  for (const runtime of bench.isQuick ? [MAIN] : RUNTIMES) {
    const rounds = runtime === MAIN && !bench.isQuick ? { pooled: 60, bare: 15 } : { pooled: 15, bare: 10 };
    const { pooledMs, bareMs } = await firstCalls(bench, runtime, rounds);
    const goals = runtime.startsWith('nodejs') ? NODE_GOALS : undefined;
    rows.push(
      coldRow(`${runtime}, from the pool, p50`, median(pooledMs), goals?.pooledP50Ms),
      coldRow(`${runtime}, from the pool, p99`, percentile(pooledMs, 0.99), goals?.pooledP99Ms),
      coldRow(`${runtime}, without pool, p50`, median(bareMs), goals?.bareMs),
    );
  }
  return rows;
};

const NODE_GOALS = { pooledP50Ms: 25, pooledP99Ms: 60, bareMs: 300 };

function coldRow(what: string, measured: number, goalMs?: number): Row {
  return {
    what: `Cold start, ${what}`,
    unit: 'ms',
    measured,
    ...(goalMs !== undefined && { goal: { atMost: goalMs } }),
  };
}

interface Latencies {
  readonly pooledMs: readonly number[];
  readonly bareMs: readonly number[];
}

async function firstCalls(bench: Bench, runtime: string, rounds: Rounds): Promise<Latencies> {
  const dataDir = dataDirFor(bench, `cold-${runtime}`);
  const idle = { JELLYFAAS_INSTANCE_IDLE_SECONDS: '1' };
  const { deploymentIds, pooledMs } = await withPlatform(dataDir, idle, async (running) => {
    bench.note(`cold start, ${runtime}, from the pool`);
    const deploymentIds = await deploy(running, runtime);
    const cold = { runtime, deploymentIds, shelf: SHELF, rounds: rounds.pooled };
    return { deploymentIds, pooledMs: await callInTurn(bench, running, cold) };
  });
  const bare = { ...idle, JELLYFAAS_PREBOOTED_WORKERS: '0' };
  const bareMs = await withPlatform(dataDir, bare, (running) => {
    bench.note(`cold start, ${runtime}, without pool`);
    return callInTurn(bench, running, { runtime, deploymentIds, shelf: 0, rounds: rounds.bare });
  });
  return { pooledMs, bareMs };
}

async function deploy({ client }: Running, runtime: string): Promise<string[]> {
  const deploymentIds: string[] = [];
  for (let index = 0; index < FUNCTIONS; index++) {
    const files = templateFiles(runtime, { shortname: `cold-${runtime}-${index}` });
    deploymentIds.push((await client.deploy('cold', files)).deploymentId);
  }
  return deploymentIds;
}

interface Cold {
  readonly runtime: string;
  readonly deploymentIds: readonly string[];
  /** Workers that stand booted before each call. */
  readonly shelf: number;
  readonly rounds: number;
}

async function callInTurn(bench: Bench, { platform, client }: Running, cold: Cold): Promise<number[]> {
  const target = addressOf(platform.url);
  const jfwt = await client.token();
  const latencies: number[] = [];
  for (let round = 0; round < cold.rounds; round++) {
    const turn = round % cold.deploymentIds.length;
    await untilReady(platform.url, cold, turn === 0);
    const request = requestText(`/${cold.deploymentIds[turn]}/?name=foo`, { jfwt });
    const { latenciesMs } = await bench.loader.run({ target, request, connections: 1, requests: 1 });
    latencies.push(...latenciesMs);
  }
  return latencies;
}

/** Until the shelf is as it should be and, with `allAtZero`, no instance is left. */
async function untilReady(url: string, { runtime, shelf }: Cold, allAtZero: boolean): Promise<void> {
  const deadline = performance.now() + SETTLE_DEADLINE_MS;
  while (performance.now() < deadline) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const read = (name: string): number =>
      Number(new RegExp(`^jellyfaas_${name}\\{runtime="${runtime}"\\} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
    const waiting = read('worker_boot_seconds_count') - read('instance_claim_seconds_count');
    if (waiting === shelf && (!allAtZero || read('instances') === shelf)) return;
    await delay(POLL_MS);
  }
  throw new Error(`the pool of ${runtime} did not settle`);
}
