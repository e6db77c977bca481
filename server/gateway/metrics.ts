import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CallMetrics, CallResult } from '../calls/metrics.ts';

const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const BUILD_SECONDS = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const BOOT_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface MetricSources {
  /** Live and pre-booted workers by runtime. */
  readonly instances: () => Iterable<{ readonly runtime: string; readonly count: number }>;
  readonly waitingCalls: () => number;
  readonly droppedEvents: () => number;
}

export interface Metrics extends CallMetrics {
  buildEnded(ok: boolean, tookMs: number): void;
  readonly contentType: string;
  /** Prometheus text format. */
  render(): Promise<string>;
}

/** Sums over the whole installation. The only labels are result classes and runtime ids: nobody and nothing is named. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: 'jellyfaas_calls_total',
    help: 'Calls by how they ended.',
    labelNames: ['result'],
    registers,
  });
  const callSeconds = new Histogram({
    name: 'jellyfaas_call_duration_seconds',
    help: 'From the request to the last byte of its answer.',
    buckets: CALL_SECONDS,
    registers,
  });
  const builds = new Counter({
    name: 'jellyfaas_builds_total',
    help: 'Builds by how they ended.',
    labelNames: ['result'],
    registers,
  });
  const buildSeconds = new Histogram({
    name: 'jellyfaas_build_duration_seconds',
    help: 'Builds from start to end.',
    buckets: BUILD_SECONDS,
    registers,
  });
  const boot = bootHistograms(registers);
  readSources(sources, registers);

  return {
    callEnded(result: CallResult, durationMs) {
      calls.inc({ result });
      callSeconds.observe(durationMs / 1000);
    },
    workerBooted: (runtime, tookMs) => boot.worker.observe({ runtime }, tookMs / 1000),
    instanceClaimed: (runtime, tookMs) => boot.claim.observe({ runtime }, tookMs / 1000),
    buildEnded(ok, tookMs) {
      builds.inc({ result: ok ? 'ok' : 'failed' });
      buildSeconds.observe(tookMs / 1000);
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

function bootHistograms(registers: Registry[]): {
  worker: Histogram<'runtime'>;
  claim: Histogram<'runtime'>;
} {
  return {
    worker: new Histogram({
      name: 'jellyfaas_worker_boot_seconds',
      help: 'Booting a worker, up to the point where it can be claimed.',
      labelNames: ['runtime'],
      buckets: BOOT_SECONDS,
      registers,
    }),
    claim: new Histogram({
      name: 'jellyfaas_instance_claim_seconds',
      help: 'From the claim of a worker to a function that answers.',
      labelNames: ['runtime'],
      buckets: BOOT_SECONDS,
      registers,
    }),
  };
}

function readSources(sources: MetricSources, registers: Registry[]): void {
  // Gauges register themselves; they are read when somebody asks.
  void new Gauge({
    name: 'jellyfaas_instances',
    help: 'Workers that live now.',
    labelNames: ['runtime'],
    registers,
    collect() {
      this.reset();
      for (const { runtime, count } of sources.instances()) this.inc({ runtime }, count);
    },
  });
  void new Gauge({
    name: 'jellyfaas_calls_waiting',
    help: 'Calls that wait for an instance.',
    registers,
    collect() {
      this.set(sources.waitingCalls());
    },
  });
  void new Gauge({
    name: 'jellyfaas_log_events_dropped',
    help: 'Log events or fields that were not on the list, since the start.',
    registers,
    collect() {
      this.set(sources.droppedEvents());
    },
  });
}
