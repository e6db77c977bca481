import { PlatformError } from '../kernel/errors.ts';
import type { Receipts } from '../keys/receipts.ts';
import { type Day, type Holidays, daysBetween, dueOn, reminderOn } from './deadline.ts';

/** The rights of Articles 15 to 21; `lifting` ends a restriction, `withdrawal` an objection. */
export type RightKind =
  | 'access'
  | 'rectification'
  | 'erasure'
  | 'restriction'
  | 'lifting'
  | 'portability'
  | 'objection'
  | 'withdrawal';

/** A request of somebody under his rights: `req_…`. */
export type RequestId = string & { readonly brand: 'RequestId' };

/**
 * `received`: nobody has proven yet that it is the person's own. `verified`: waits for whoever decides. `running`: the
 * platform does it; the person has a step left. `extended`: as `verified`, with two months more.
 */
export type RequestState = 'received' | 'verified' | 'running' | 'extended' | 'done' | 'refused';

/** How far a request is. Days are UTC. */
export interface Progress {
  readonly state: RequestState;
  readonly receivedOn: Day;
  /** Day of the last month that was called out last. */
  readonly reminder: 0 | 20 | 27;
  readonly extension: { readonly on: Day; readonly reason: string } | null;
  readonly endedOn: Day | null;
  /** Why it was refused, for the person to read. */
  readonly refusal: string | null;
  readonly receipt: string | null;
}

export interface ClockedProgress extends Progress {
  readonly dueOn: Day;
  /** Null once it has ended. */
  readonly daysLeft: number | null;
}

export function newProgress(state: RequestState, receivedOn: Day): Progress {
  return { state, receivedOn, reminder: 0, extension: null, endedOn: null, refusal: null, receipt: null };
}

export function clocked<P extends Progress>(
  progress: P,
  today: Day,
  holidays: Holidays,
): P & ClockedProgress {
  const due = dueOn(progress.receivedOn, progress.extension !== null, holidays);
  const daysLeft = progress.endedOn === null ? daysBetween(today, due) : null;
  return { ...progress, dueOn: due, daysLeft };
}

/** The reminder that has come due since the last one; undefined when there is none. */
export function nextReminder(progress: Progress, today: Day): 20 | 27 | undefined {
  const due = reminderOn(today, progress.receivedOn, progress.extension !== null);
  return due > progress.reminder && due !== 0 ? due : undefined;
}

/** Two months more, once, and said with its reason inside the first month. */
export function extended<P extends Progress>(
  progress: P,
  reason: string,
  at: { today: Day; holidays: Holidays },
): P {
  assertOpen(progress);
  if (progress.extension !== null)
    throw rightsError('already_extended', 'This request has been extended before; that is possible once.');
  if (at.today > dueOn(progress.receivedOn, false, at.holidays))
    throw rightsError(
      'extension_late',
      'The first month is over. Answer the request, or refuse it, without delay.',
    );
  // Whoever has not proven himself still has to.
  const state = progress.state === 'received' ? 'received' : 'extended';
  return { ...progress, state, reminder: 0, extension: { on: at.today, reason } };
}

export interface Ending {
  readonly result: 'done' | 'refused';
  readonly today: Day;
  readonly refusal?: string;
  /** Parts that the copy given lacks. */
  readonly missing?: number;
}

/** Kind, days and result, and nobody's name: a receipt outlives what it is about. */
export async function ended<P extends Progress & { readonly id: string; readonly kind: RightKind }>(
  receipts: Pick<Receipts, 'sign'>,
  request: P,
  { result, today, refusal, missing = 0 }: Ending,
): Promise<P> {
  assertOpen(request);
  const { id, kind, receivedOn } = request;
  const claims = {
    event: 'rights.request_ended',
    request: id,
    kind,
    result,
    receivedOn,
    endedOn: today,
    ...(missing > 0 && { missing }),
  };
  return {
    ...request,
    state: result,
    endedOn: today,
    refusal: refusal ?? null,
    receipt: await receipts.sign(claims),
  };
}

const DAYS_BACK_MAX = 90;

/** Of a request that came by other ways than this platform. Throws `rights.bad_day`. */
export function checkReceivedOn(receivedOn: Day, today: Day): void {
  const ago = daysBetween(receivedOn, today);
  if (ago >= 0 && ago <= DAYS_BACK_MAX) return;
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'rights.bad_day',
    message: `A request was received today or at most ${DAYS_BACK_MAX} days ago.`,
  });
}

export function assertOpen({ endedOn }: Progress): void {
  if (endedOn !== null) throw requestEnded();
}

export function requestEnded(): PlatformError {
  return rightsError('request_ended', 'This request has ended; nothing can be changed about it.');
}

function rightsError(what: string, message: string): PlatformError {
  return new PlatformError({ kind: 'failed_precondition', code: `rights.${what}`, message });
}
