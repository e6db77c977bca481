import type { Account } from '../accounts/accounts.ts';
import { type Clock, createCautiousTime, utcDay } from '../kernel/clock.ts';
import { PlatformError, notFound } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { type AccountId, newId } from '../kernel/ids.ts';
import { hourly } from '../kernel/hourly.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { Day, Holidays } from './deadline.ts';
import {
  type RequestId,
  type RightKind,
  checkReceivedOn,
  clocked,
  ended,
  extended,
  newProgress,
  nextReminder,
  requestEnded,
} from './request.ts';
import type { Asked, ClockedRequest, ObjectionPurpose, RequestRows, StoredRequest } from './request-rows.ts';

/** Carries a right out, for good or until it is taken back. Rejects where it cannot. */
export type Act = (accountId: AccountId, purpose: ObjectionPurpose | null) => Promise<void>;

export interface RequestsOptions {
  readonly rows: RequestRows;
  readonly accounts: {
    find(email: string): Promise<Account | undefined>;
    get(id: AccountId): Promise<Account>;
  };
  /** What the platform does itself as soon as it is asked. */
  readonly acts: Readonly<Partial<Record<RightKind, Act>>>;
  /** What it does itself when the operator says so, besides. */
  readonly erase?: Act;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly holidays: Holidays;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
}

/** A request with whose it is, for the operator. */
export type RequestOfAccount = ClockedRequest & { readonly account: Pick<Account, 'id' | 'name' | 'email'> };

export interface HowCarriedOut {
  readonly purpose?: ObjectionPurpose;
  /** Parts that the copy given lacks; none if absent. */
  readonly missing?: number;
}

/** Requests of account holders under their rights, each with its clock. */
export interface Requests {
  /** Newest first. */
  list(accountId: AccountId): Promise<ClockedRequest[]>;
  /**
   * Does what can be done at once; an open request for the same is gone on with. For a person who has just proven himself:
   * what the operator had noted for him is his own from then on.
   */
  begin(accountId: AccountId, asked: Asked & { readonly byOperator: boolean }): Promise<ClockedRequest>;
  /** The person has carried it out himself: ends what he asked of this kind, or notes that it was done. */
  carriedOut(accountId: AccountId, kind: RightKind, how?: HowCarriedOut): Promise<ClockedRequest>;

  /** For the operator: the most urgent first. */
  listOpen(): Promise<RequestOfAccount[]>;
  /** Notes what came by letter or telephone, today if not said otherwise. It stays `received` until the person confirms it. */
  note(email: string, asked: Asked, receivedOn?: Day): Promise<RequestOfAccount>;
  extend(id: RequestId, reason: string): Promise<RequestOfAccount>;
  refuse(id: RequestId, reason: string): Promise<RequestOfAccount>;
  /** Carries it out as far as the platform can; the rest the operator has done by hand. */
  complete(id: RequestId): Promise<RequestOfAccount>;
  close(): void;
}

/** Ended requests of an account that are kept. */
const KEPT_MAX = 200;

export function createRequests(options: RequestsOptions): Requests {
  const { rows, holidays, clock } = options;
  const book = createBook(options);
  const reminders = keepReminding(options);
  return {
    async list(accountId) {
      const today = utcDay(clock.now());
      return (await rows.list(accountId)).map((request) => clocked(request, today, holidays));
    },
    ...personsPart(options, book),
    ...operatorsPart(options, book),
    close: () => reminders.close(),
  };
}

/** What person and operator do alike. */
interface Book {
  today(): Day;
  shown(request: StoredRequest): ClockedRequest;
  /** The open one that asks the same, gone on with, or this one. */
  opened(request: StoredRequest): Promise<StoredRequest>;
  openOf(accountId: AccountId, asked: Asked): Promise<StoredRequest[]>;
  changed(request: StoredRequest): Promise<StoredRequest>;
}

function createBook({ rows, holidays, clock }: RequestsOptions): Book {
  const today = (): Day => utcDay(clock.now());
  const book: Book = {
    today,
    shown: (request) => clocked(request, today(), holidays),
    async opened(request) {
      if (await rows.insert(request, KEPT_MAX)) return request;
      const open = await book.openOf(request.accountId, request);
      const same = open.find(({ byOperator }) => byOperator === request.byOperator);
      if (same === undefined) throw requestEnded();
      if (same.state !== 'received' || request.state === 'received') return same;
      return await book.changed({ ...same, state: same.extension === null ? request.state : 'extended' });
    },
    async openOf(accountId, { kind, purpose }) {
      return (await rows.list(accountId)).filter(
        (one) => one.endedOn === null && one.kind === kind && one.purpose === purpose,
      );
    },
    async changed(request) {
      if (!(await rows.update(request.id, request))) throw requestEnded();
      return request;
    },
  };
  return book;
}

function personsPart(
  { rows, acts, receipts }: RequestsOptions,
  book: Book,
): Pick<Requests, 'begin' | 'carriedOut'> {
  async function carriedOut(accountId: AccountId, asked: Asked, missing = 0): Promise<ClockedRequest> {
    const today = book.today();
    const open = await book.openOf(accountId, asked);
    const own =
      open.length > 0 ? open : [requestOf(accountId, asked, { state: 'running', receivedOn: today })];
    const ending = { result: 'done', today, missing } as const;
    const done = await Promise.all(
      own.map(async (one) => ({ ...(await ended(receipts, one, ending)), missing })),
    );
    for (const one of done) await (open.length > 0 ? rows.update(one.id, one) : rows.insert(one, KEPT_MAX));
    const [first] = done;
    if (first === undefined) throw new Error('nothing was carried out');
    return book.shown(first);
  }
  return {
    async begin(accountId, { byOperator, ...asked }) {
      checkPurpose(asked);
      const act = byOperator ? undefined : acts[asked.kind];
      if (act !== undefined) {
        await act(accountId, asked.purpose);
        return await carriedOut(accountId, asked);
      }
      const state = byOperator ? 'verified' : 'running';
      const request = requestOf(accountId, asked, { state, receivedOn: book.today(), byOperator });
      return book.shown(await book.opened(request));
    },
    carriedOut: (accountId, kind, { purpose = null, missing } = {}) =>
      carriedOut(accountId, { kind, purpose }, missing),
  };
}

function operatorsPart(
  { rows, accounts, acts, erase, receipts, holidays }: RequestsOptions,
  book: Book,
): Omit<Requests, 'list' | 'begin' | 'carriedOut' | 'close'> {
  async function withAccount(request: StoredRequest): Promise<RequestOfAccount> {
    const { id, name, email } = await accounts.get(request.accountId);
    return { ...book.shown(request), account: { id, name, email } };
  }
  async function found(id: RequestId): Promise<StoredRequest> {
    const request = await rows.find(id);
    if (request === undefined) throw notFound('rights request');
    return request;
  }
  return {
    async listOpen() {
      const open = await Promise.all((await rows.listOpen()).map(withAccount));
      return open.toSorted((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0));
    },
    async note(email, asked, receivedOn = book.today()) {
      checkPurpose(asked);
      checkReceivedOn(receivedOn, book.today());
      const account = await accounts.find(email);
      if (account === undefined) throw notFound('account');
      const noted = { state: 'received', receivedOn, byOperator: true } as const;
      return await withAccount(await book.opened(requestOf(account.id, asked, noted)));
    },
    async extend(id, reason) {
      const request = extended(await found(id), reason, { today: book.today(), holidays });
      return await withAccount(await book.changed(request));
    },
    async refuse(id, reason) {
      const ending = { result: 'refused', today: book.today(), refusal: reason } as const;
      return await withAccount(await book.changed(await ended(receipts, await found(id), ending)));
    },
    async complete(id) {
      const request = await found(id);
      if (request.state === 'received') throw notVerified();
      const done = await ended(receipts, request, { result: 'done', today: book.today() });
      const answer = await withAccount(done);
      const act = request.kind === 'erasure' ? erase : acts[request.kind];
      await act?.(request.accountId, request.purpose);
      // Nothing to change where the request went with its account.
      await rows.update(id, done);
      return answer;
    },
  };
}

function requestOf(
  accountId: AccountId,
  { kind, purpose }: Asked,
  {
    state,
    receivedOn,
    byOperator = false,
  }: Pick<StoredRequest, 'state' | 'receivedOn'> & { byOperator?: boolean },
): StoredRequest {
  return {
    id: newId<RequestId>('req'),
    accountId,
    kind,
    purpose,
    byOperator,
    missing: 0,
    ...newProgress(state, receivedOn),
  };
}

/** Calls out what waits for too long: now, and once an hour. The log does not say whose it is. */
function keepReminding({ rows, clock, scheduler, events }: RequestsOptions): { close(): void } {
  const cautiousTime = createCautiousTime(clock);
  const remind = async (): Promise<void> => {
    // What is called out once must not be used up by a clock that is wrong for a moment.
    const today = utcDay(cautiousTime());
    for (const request of await rows.listOpen()) {
      const reminder = nextReminder(request, today);
      if (reminder === undefined || !(await rows.update(request.id, { ...request, reminder }))) continue;
      events.emit('rights.request_waits', { day: reminder });
    }
  };
  return hourly(scheduler, async () => {
    await remind().catch(() =>
      events.emit('server.failed', { code: 'rights.reminder_failed', area: 'rights' }),
    );
  });
}

function checkPurpose({ kind, purpose }: Asked): void {
  const needsOne = kind === 'objection' || kind === 'withdrawal';
  if (needsOne === (purpose !== null)) return;
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'rights.bad_purpose',
    message: needsOne
      ? 'Say what you object to: purpose is "origin-ip" or "statistics".'
      : 'Only an objection and its withdrawal have a purpose.',
  });
}

function notVerified(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'rights.not_verified',
    message:
      'Nobody has proven yet that this request is the person’s own. It can be confirmed after signing in, under "Your rights".',
  });
}
