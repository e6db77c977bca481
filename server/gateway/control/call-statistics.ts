import type { CallStatistics } from '../../../contract/index.ts';
import type { Principal } from '../../accounts/principal.ts';
import type { DurationCount } from '../../calls/call-record.ts';
import { utcDay } from '../../kernel/clock.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { type CallsQuery, DAY_MS } from './list-calls.ts';

/** The caller's own calls by day, oldest first, optionally of one function. Throws `function.not_found`. */
export async function callStatistics(
  { calls, functions, clock }: Pick<ControlPlaneOptions, 'calls' | 'functions' | 'clock'>,
  principal: Principal,
  query: CallsQuery,
): Promise<CallStatistics> {
  const only = query.function === undefined ? undefined : (await functions.get(principal, query.function)).id;
  const newest = query.day === undefined ? clock.now() : Date.parse(query.day);
  const all: DurationCount[] = [];
  const days: CallStatistics['days'] = [];
  for (let back = query.days - 1; back >= 0; back--) {
    const day = utcDay(newest - back * DAY_MS);
    const counts = await calls.durations(principal.accountId, day, only);
    all.push(...counts);
    days.push({ day, calls: total(counts), failures: total(counts.filter(({ ok }) => !ok)) });
  }
  return { days, durationMs: percentilesOf(all) };
}

function total(counts: readonly DurationCount[]): number {
  return counts.reduce((sum, { calls }) => sum + calls, 0);
}

function percentilesOf(counts: readonly DurationCount[]): CallStatistics['durationMs'] {
  const shortestFirst = counts.toSorted((a, b) => a.durationMs - b.durationMs);
  const all = total(counts);
  const rank = (share: number): number => {
    let left = Math.ceil(all * share);
    return shortestFirst.find(({ calls }) => (left -= calls) <= 0)?.durationMs ?? 0;
  };
  return all === 0 ? null : { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}
