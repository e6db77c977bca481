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
import type { LoadOptions } from './load.ts';
import { cpuSeconds, onlyInstanceSocket } from './processes.ts';
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
    const alone = await compare(
      bench,
      { ...paths, pid: running.platform.pid },
      {
        connections: 1,
        requests: bench.isQuick ? 400 : 1000,
        rounds: bench.isQuick ? 8 : 30,
      },
    );
    bench.note('gateway, 32 connections');
    const crowd = await compare(
      bench,
      { ...paths, pid: running.platform.pid },
      {
        connections: 32,
        requests: bench.isQuick ? 2000 : 4000,
        rounds: bench.isQuick ? 4 : 12,
      },
    );
    return rows(alone, crowd);
  });

interface Paths {
  readonly direct: Pick<LoadOptions, 'target' | 'request'>;
  readonly through: Pick<LoadOptions, 'target' | 'request'>;
}

async function pathsTo({ platform, client }: Running, { deploymentId }: Deployed): Promise<Paths> {
  const query = '?name=foo';
  return {
    direct: { target: { path: onlyInstanceSocket(platform.pid) }, request: requestText(`/${query}`) },
    through: {
      target: addressOf(platform.url),
      request: requestText(`/${deploymentId}/${query}`, { jfwt: await client.token() }),
    },
  };
}

interface Comparison {
  readonly directP50Ms: number;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly directPerSecond: number;
  readonly throughputShare: number;
  readonly cpuMicroseconds: number;
}

async function compare(
  { loader }: Bench,
  { direct, through, pid }: Paths & { pid: number },
  { rounds, ...size }: { connections: number; requests: number; rounds: number },
): Promise<Comparison> {
  const directRounds: Awaited<ReturnType<typeof loader.run>>[] = [];
  const throughRounds: typeof directRounds = [];
  let cpu = 0;
  // Until the compilers of all processes have settled.
  for (const path of [direct, through]) await loader.run({ ...path, ...size, requests: 3000 });
  for (let round = 0; round < rounds; round++) {
    directRounds.push(await loader.run({ ...direct, ...size }));
    const before = cpuSeconds(pid);
    throughRounds.push(await loader.run({ ...through, ...size }));
    cpu += cpuSeconds(pid) - before;
  }
  const pairs = directRounds.map((a, round) => [a, throughRounds[round] ?? a] as const);
  const pooled = (all: typeof directRounds) => all.flatMap(({ latenciesMs }) => latenciesMs);
  return {
    directP50Ms: median(directRounds.map(({ latenciesMs }) => median(latenciesMs))),
    addedP50Ms: median(pairs.map(([a, b]) => median(b.latenciesMs) - median(a.latenciesMs))),
    addedP99Ms: percentile(pooled(throughRounds), 0.99) - percentile(pooled(directRounds), 0.99),
    directPerSecond: median(directRounds.map(({ perSecond }) => perSecond)),
    throughputShare: median(pairs.map(([a, b]) => b.perSecond / a.perSecond)),
    cpuMicroseconds: (cpu * 1e6) / (rounds * size.requests),
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
      measured: alone.cpuMicroseconds,
      goal: { atMost: 100 },
    },
    {
      what: 'Gateway, c=32: CPU of the server per call',
      unit: 'µs',
      measured: crowd.cpuMicroseconds,
      goal: { atMost: 100 },
    },
    {
      what: 'Functions Framework, c=32: throughput of direct',
      unit: '%',
      measured: crowd.throughputShare * 100,
      goal: { atLeast: 90 },
      detail: `direct ${Math.round(crowd.directPerSecond)}/s`,
    },
  ];
}
