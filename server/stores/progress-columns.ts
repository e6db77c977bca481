import { sql } from 'kysely';
import type { Progress } from '../rights/request.ts';

/** How far a request under somebody's rights is, in columns; of account holders and of visitors alike. */
export interface ProgressColumns {
  state: Progress['state'];
  received_on: string;
  reminder: Progress['reminder'];
  extended_on: string | null;
  extension_reason: string | null;
  ended_on: string | null;
  refusal: string | null;
  receipt: string | null;
}

/** Their definition in a table. Never changed: released migrations use it. */
export const progressColumns = sql.raw(`
  state text not null check (state in ('received', 'verified', 'running', 'extended', 'done', 'refused')),
  received_on text not null check (received_on glob '????-??-??' and octet_length(received_on) = 10),
  -- Day of the last month that was called out.
  reminder integer not null check (reminder in (0, 20, 27)),
  extended_on text check (extended_on glob '????-??-??' and octet_length(extended_on) = 10),
  extension_reason text check (length(extension_reason) between 5 and 500),
  ended_on text check (ended_on glob '????-??-??' and octet_length(ended_on) = 10),
  refusal text check (length(refusal) between 5 and 500),
  -- Compact JWS over kind, days and result.
  receipt text check (octet_length(receipt) between 20 and 2000),
  check ((extended_on is null) = (extension_reason is null)),
  check ((ended_on is null) = (state not in ('done', 'refused'))),
  check ((ended_on is null) = (receipt is null)),
  check ((refusal is null) = (state <> 'refused'))`);

export function columnsOf(progress: Progress): ProgressColumns {
  const { state, receivedOn, reminder, extension, endedOn, refusal, receipt } = progress;
  return {
    state,
    received_on: receivedOn,
    reminder,
    extended_on: extension?.on ?? null,
    extension_reason: extension?.reason ?? null,
    ended_on: endedOn,
    refusal,
    receipt,
  };
}

export function progressIn(row: ProgressColumns): Progress {
  const { state, received_on, reminder, extended_on, extension_reason, ended_on, refusal, receipt } = row;
  const extension =
    extended_on === null || extension_reason === null ? null : { on: extended_on, reason: extension_reason };
  return { state, receivedOn: received_on, reminder, extension, endedOn: ended_on, refusal, receipt };
}
