import * as z from 'zod';
import type { AccountId } from '../kernel/ids.ts';
import type { Copier, PackFile, PackWriter } from '../rights/copier.ts';
import type { CallStore, CountedCall } from './call-record.ts';

const Calls = z.strictObject({
  day: z.iso.date(),
  functionId: z.string(),
  version: z.int(),
  originIp: z.string(),
  durationMs: z.int(),
  ok: z.boolean(),
  calls: z.int().min(1),
});
const CALLS: PackFile<z.infer<typeof Calls>> = {
  name: 'calls',
  title: 'Calls and other requests by day; equal ones are counted',
  nature: 'observed',
  row: Calls,
};

const PAGE = 1000;

/** What was observed of calls. It tells of this installation, so no other takes it over. */
export function createCallsCopier(store: Pick<CallStore, 'days' | 'counted'>): Copier {
  return {
    area: 'calls',
    files: [CALLS],
    exportTo: ({ accountId }, writer) => writer.rows(CALLS, callsOf(store, accountId, writer)),
  };
}

async function* callsOf(
  store: Pick<CallStore, 'days' | 'counted'>,
  accountId: AccountId,
  writer: PackWriter,
): AsyncGenerator<z.infer<typeof Calls>> {
  for (const day of (await store.days()).toReversed()) {
    try {
      yield* callsOfDay(store, accountId, day);
    } catch (thrown) {
      writer.missing(CALLS, day, thrown);
    }
  }
}

async function* callsOfDay(
  store: Pick<CallStore, 'counted'>,
  accountId: AccountId,
  day: string,
): AsyncGenerator<z.infer<typeof Calls>> {
  let after: CountedCall | undefined;
  do {
    const page = await store.counted(accountId, day, { after, limit: PAGE });
    for (const { accountId: _own, ...row } of page) yield { day, ...row };
    after = page.length < PAGE ? undefined : page.at(-1);
  } while (after !== undefined);
}
