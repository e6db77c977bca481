import { orAborted } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PlatformError } from '../kernel/errors.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Recorder } from './recorder.ts';

export interface RecordingOptions {
  readonly recorder: Pick<Recorder, 'admit' | 'add' | 'whenRoom'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** What requests of a kind end with when they are not let finish. */
export interface EndingErrors {
  cancelled(): PlatformError;
  deadline(deadlineMs: number): PlatformError;
}

export interface RecordedRequest {
  readonly accountId: AccountId;
  readonly originIp: string;
  /** The reserved id that stands for requests of this kind. */
  readonly functionId: FunctionId;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

/**
 * Does the work of one request that is no call of a function, and leaves exactly one call record of it. The work is
 * given a signal that aborts with the client, at the deadline, and at its own end; when it aborts before, the request
 * rejects with the signal's reason. `isOk` says which answers count as a success; all do if it is absent.
 */
export type RecordRequest = <T>(
  request: RecordedRequest,
  work: (signal: AbortSignal) => Promise<T>,
  isOk?: (answer: T) => boolean,
) => Promise<T>;

export function createRecordRequest(options: RecordingOptions & { errors: EndingErrors }): RecordRequest {
  const { recorder, clock, scheduler, errors } = options;
  return async ({ accountId, originIp, functionId, signal, deadlineMs }, work, isOk = () => true) => {
    recorder.admit(accountId);
    const arrivedAt = clock.monotonicMs();
    const ending = new AbortController();
    const cancel = (): void => ending.abort(errors.cancelled());
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    const timer = scheduler.after(deadlineMs, () => ending.abort(errors.deadline(deadlineMs)));
    let ok = false;
    try {
      await orAborted(new Promise<void>((resolve) => recorder.whenRoom(resolve)), ending.signal);
      const answer = await work(ending.signal);
      ok = isOk(answer);
      return answer;
    } catch (thrown) {
      // Whatever an engine says of its own end: the reason is ours.
      throw ending.signal.aborted ? ending.signal.reason : thrown;
    } finally {
      timer.close();
      signal.removeEventListener('abort', cancel);
      // What still runs for a request that failed runs for nobody.
      ending.abort(errors.cancelled());
      const durationMs = Math.round(clock.monotonicMs() - arrivedAt);
      recorder.add({ accountId, functionId, version: 1, originIp, durationMs, ok });
    }
  };
}
