import { CALL_ROWS_MAX, type Calls } from '../../../contract/index.ts';
import { requestKindOf } from '../../calls/request-kinds.ts';
import type { Principal } from '../../accounts/principal.ts';
import { utcDay } from '../../kernel/clock.ts';
import type { FunctionId } from '../../kernel/ids.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

export const DAY_MS = 86_400_000;

export interface CallsQuery {
  /** Newest day, `2026-11-23`; today if absent. */
  readonly day?: string | undefined;
  readonly days: number;
  readonly function?: string | undefined;
}

/** The caller's own rows, newest day first, optionally of one function. Throws `function.not_found`. */
export async function listCalls(
  { calls, functions, clock }: Pick<ControlPlaneOptions, 'calls' | 'functions' | 'clock'>,
  principal: Principal,
  query: CallsQuery,
): Promise<Calls> {
  const only = query.function === undefined ? undefined : (await functions.get(principal, query.function)).id;
  const visible = await functions.library(principal);
  const shortnames = new Map<FunctionId, string>(visible.map(({ id, shortname }) => [id, shortname]));
  const newest = query.day === undefined ? clock.now() : Date.parse(query.day);
  const found: Calls['calls'] = [];
  let truncated = false;

  for (let i = 0; i < query.days && !truncated; i++) {
    const day = utcDay(newest - i * DAY_MS);
    // One row beyond the limit tells that there are more.
    const rows = await calls.list(principal.accountId, day, CALL_ROWS_MAX + 1);
    const wanted = rows.filter(({ functionId }) => only === undefined || functionId === only);
    truncated = rows.length > CALL_ROWS_MAX || found.length + wanted.length > CALL_ROWS_MAX;
    for (const row of wanted.slice(0, CALL_ROWS_MAX - found.length)) {
      const { functionId, version, originIp, durationMs, ok } = row;
      const shortname = shortnames.get(functionId);
      const kind = requestKindOf(functionId);
      found.push({
        day,
        ...(shortname !== undefined && { shortname }),
        ...(kind !== undefined && { kind }),
        functionId,
        version,
        originIp,
        durationMs,
        ok,
      });
    }
  }
  return { calls: found, truncated };
}
