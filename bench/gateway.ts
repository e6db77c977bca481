import type { Deployed } from '../testkit/client.ts';
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
import type { LoadOptions, LoadResult } from './load.ts';
import { childrenCpuSeconds, cpuSeconds, onlyInstanceSocket } from './processes.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

/**
 * The same function process (the stock Functions Framework's listener), called over its own socket and through
 * the platform, in turns. Nothing is booted ahead, so that only one instance runs.
 */
export const measureGateway: Measurement = (bench) =>
  withPlatform(dataDirFor(bench, 'gateway'), { JELLYFAAS_PREBOOTED_WORKERS: '0' }, async (running) => {
    const files = templateFiles('nodejs24', { shortname: 'gateway' });
    const paths = await pathsTo(running, await running.client.deploy('gateway', files));
    bench.note('gateway, one connection');
    const alone = await compare(bench, paths, {
      connections: 1,
      requests: bench.isQuick ? 400 : 1000,
      rounds: bench.isQuick ? 8 : 30,
    });
    bench.note('gateway, 32 connections');
    const crowd = await compare(bench, paths, {
      connections: 32,
      requests: bench.isQuick ? 2000 : 4000,
      rounds: bench.isQuick ? 4 : 12,
    });
    return rows(alone, crowd);
  });

interface Paths {
  readonly serverPid: number;
  readonly direct: Pick<LoadOptions, 'target' | 'request'>;
  readonly through: Pick<LoadOptions, 'target' | 'request'>;
}

async function pathsTo({ platform, client }: Running, { deploymentId }: Deployed): Promise<Paths> {
  const query = '?name=foo';
  return {
    serverPid: platform.pid,
    direct: { target: { path: onlyInstanceSocket(platform.pid) }, request: requestText(`/${query}`) },
    through: {
      target: addressOf(platform.url),
      request: requestText(`/${deploymentId}/${query}`, { jfwt: await client.token() }),
    },
  };
}

/** CPU of one call through the platform, in microseconds. */
interface CpuShares {
  readonly server: number;
  readonly instance: number;
  readonly load: number;
}

interface Comparison {
  readonly directP50Ms: number;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly directPerSecond: number;
  readonly throughputShare: number;
  readonly cpu: CpuShares;
}

/** Until the compilers of both processes have settled: their threads' time would count as the calls'. */
const WARM_UP = { connections: 32, requests: 20_000 };

async function compare(
  { loader }: Bench,
  { direct, through, serverPid }: Paths,
  { rounds, ...size }: { connections: number; requests: number; rounds: number },
): Promise<Comparison> {
  const pairs: { direct: LoadResult; through: LoadResult }[] = [];
  const cpuNow = (): CpuShares => ({
    server: cpuSeconds(serverPid),
    instance: childrenCpuSeconds(serverPid),
    load: cpuSeconds(loader.pid),
  });
  const cpu = { server: 0, instance: 0, load: 0 };
  for (const path of [direct, through]) await loader.run({ ...path, ...WARM_UP });
  for (let round = 0; round < rounds; round++) {
    const alone = await loader.run({ ...direct, ...size });
    const before = cpuNow();
    pairs.push({ direct: alone, through: await loader.run({ ...through, ...size }) });
    const after = cpuNow();
    for (const part of ['server', 'instance', 'load'] as const) {
      cpu[part] += ((after[part] - before[part]) * 1e6) / (rounds * size.requests);
    }
  }
  const pooledP99 = (path: 'direct' | 'through'): number =>
    percentile(
      pairs.flatMap((pair) => pair[path].latenciesMs),
      0.99,
    );
  return {
    directP50Ms: median(pairs.map((pair) => median(pair.direct.latenciesMs))),
    addedP50Ms: median(
      pairs.map((pair) => median(pair.through.latenciesMs) - median(pair.direct.latenciesMs)),
    ),
    addedP99Ms: pooledP99('through') - pooledP99('direct'),
    directPerSecond: median(pairs.map((pair) => pair.direct.perSecond)),
    throughputShare: median(pairs.map((pair) => pair.through.perSecond / pair.direct.perSecond)),
    cpu,
  };
}

function rows(alone: Comparison, crowd: Comparison): Row[] {
  return [
    {
      what: 'Gateway, c=1: added latency, p50',
      unit: 'ms',
      measured: alone.addedP50Ms,
      goal: { atMost: 0.2 },
      detail: `direct p50 ${alone.directP50Ms.toFixed(3)} ms`,
    },
    {
      what: 'Gateway, c=1: added latency, p99',
      unit: 'ms',
      measured: alone.addedP99Ms,
      goal: { atMost: 1.5 },
    },
    {
      what: 'Gateway, c=1: CPU of the server per call',
      unit: 'µs',
      measured: alone.cpu.server,
      goal: { atMost: 100 },
    },
    {
      what: 'Gateway, c=32: CPU of the server per call',
      unit: 'µs',
      measured: crowd.cpu.server,
      goal: { atMost: 100 },
    },
    {
      what: 'Functions Framework, c=32: throughput of direct',
      unit: '%',
      measured: crowd.throughputShare * 100,
      goal: { atLeast: 90 },
      detail: `direct ${Math.round(crowd.directPerSecond)}/s; CPU per call: ${cpuText(crowd.cpu)}`,
    },
  ];
}

function cpuText({ server, instance, load }: CpuShares): string {
  return `function ${Math.round(instance)}, server ${Math.round(server)}, load ${Math.round(load)} µs`;
}
