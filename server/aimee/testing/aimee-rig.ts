import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Holder, Principal } from '../../accounts/principal.ts';
import { queryLimits } from '../../ai/limits.ts';
import type { CallRecord } from '../../calls/call-record.ts';
import { type ManualTime, createManualTime } from '../../calls/testing/manual-time.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { type AccountId, type ConversationId, newId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import { type KeyRing, createKeyRing } from '../../keys/key-ring.ts';
import { createReceipts } from '../../keys/receipts.ts';
import type { RootKey } from '../../keys/root-key.ts';
import { openCustomerStore, openSiteCatalogue } from '../../stores/aimee-store.ts';
import { openKeyStore } from '../../stores/key-store.ts';
import { databaseFiles } from '../../stores/rekey.ts';
import type { VectorEngine } from '../../vectors/engine/vector-engine.ts';
import { vectorLimits } from '../../vectors/limits.ts';
import { type Aimee, type AimeeOptions, createAimee } from '../create-aimee.ts';
import { type Customers, createCustomers } from '../customers.ts';
import { type AimeeLimits, aimeeLimits } from '../limits.ts';
import type { Mail } from '../mails.ts';
import type { Site, SiteSettings } from '../sites.ts';
import type { Answered, VisitorMessage } from '../visitors.ts';
import { type Restriction, createRestriction } from '../../rights/restriction.ts';

/** AI.Mee over real stores and a real key ring, at a time that tests move. Nothing is known, so no model is asked. */
export interface AimeeRig {
  readonly aimee: Aimee;
  readonly customers: Customers;
  readonly keyRing: KeyRing;
  readonly restriction: Restriction;
  readonly time: ManualTime;
  readonly records: CallRecord[];
  readonly mails: Mail[];
  /** As they were logged. */
  readonly events: object[];
  /** Awaited before each mail goes out. */
  beforeMail: () => Promise<void>;
  readonly directory: string;
  createSite(customer: Customer, settings?: Partial<SiteSettings>): Promise<Site>;
  /** A visitor's message, answered. */
  say(site: Site, text: string, more?: Partial<VisitorMessage>): Promise<Answered>;
  /** Of a site's conversations, newest first. */
  ids(customer: Customer, site: Site): Promise<ConversationId[]>;
  /** The same stores under a new service, as after a restart. */
  restart(limits?: Partial<AimeeLimits>): Promise<AimeeRig>;
}

export interface Customer {
  readonly holder: Holder;
  readonly principal: Principal;
}

export function newCustomer(): Customer {
  const accountId = newId<AccountId>('acct');
  return {
    holder: { accountId, accountKey: new Secret(new Uint8Array(randomBytes(32))) },
    principal: { accountId, role: 'member' },
  };
}

const SETTINGS: SiteSettings = {
  name: 'Pumps',
  persona: '',
  language: 'en',
  allowedOrigins: [],
  suggestions: [],
  functions: [],
  handOver: { kind: 'none' },
  retentionDays: null,
  isOn: true,
  messagesPerMinute: 10_000,
  messagesPerDay: 1_000_000,
  look: { title: '', greeting: '', accent: '#3b5bdb', theme: 'auto', position: 'right', privacyUrl: '' },
};

const NO_MODEL = new PlatformError({
  kind: 'failed_precondition',
  code: 'models.none_configured',
  message: 'There is none.',
});

const forgetsOnly = { forget: async () => undefined } as unknown as VectorEngine;

export async function startAimee(limits: Partial<AimeeLimits> = {}): Promise<AimeeRig> {
  const directory = mkdtempSync(join(tmpdir(), 'aimee-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const root: RootKey = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
  return await open({ directory, root, time: createManualTime() }, limits);
}

interface Foundations {
  readonly directory: string;
  readonly root: RootKey;
  readonly time: ManualTime;
}

async function open(foundations: Foundations, over: Partial<AimeeLimits>): Promise<AimeeRig> {
  const { directory, root, time } = foundations;
  const limits = { ...aimeeLimits, ...over };
  const keyStore = await openKeyStore({ path: join(directory, 'keys', 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keyStore });
  const catalogue = await openSiteCatalogue({ path: join(directory, 'aimee', 'sites.db'), keyRing });
  const customers = createCustomers({
    directory: join(directory, 'aimee'),
    keyRing,
    openStore: openCustomerStore,
    scheduler: time,
    limits,
  });
  const outcome: Outcome = { records: [], mails: [], events: [], beforeMail: async () => undefined };
  const restriction = await createRestriction({ store: restrictsInMemory, clock: time });
  const receipts = await createReceipts(keyRing);
  const stores = { catalogue, customers, keyRing, receipts, restriction };
  const aimee = await createAimee({ ...stores, ...standIns(outcome), clock: time, scheduler: time, limits });
  const close = async (): Promise<void> => {
    await aimee.close();
    await customers.close();
    await catalogue.close();
    await keyStore.close();
  };
  let isOpen = true;
  onTestFinished(async () => {
    if (isOpen) await close();
  });
  return Object.assign(outcome, {
    aimee,
    customers,
    keyRing,
    restriction,
    time,
    directory,
    ...shortcuts(aimee),
    async restart(again = over) {
      isOpen = false;
      await close();
      return await open(foundations, again);
    },
  });
}

const restrictsInMemory = {
  list: async () => [],
  insert: async () => undefined,
  remove: async () => undefined,
};

type Outcome = Pick<AimeeRig, 'records' | 'mails' | 'events' | 'beforeMail'>;

function standIns(
  outcome: Outcome,
): Omit<
  AimeeOptions,
  'catalogue' | 'customers' | 'keyRing' | 'receipts' | 'restriction' | 'clock' | 'scheduler' | 'limits'
> {
  const unused = {} as never;
  return {
    engine: forgetsOnly,
    files: databaseFiles,
    reader: unused,
    embedders: unused,
    network: unused,
    models: { select: () => Promise.reject(NO_MODEL) },
    tools: { named: async () => [], library: async () => [] },
    mail: async (mail) => {
      await outcome.beforeMail();
      outcome.mails.push(mail);
    },
    recorder: {
      admit: () => undefined,
      add: (record) => void outcome.records.push(record),
      whenRoom: (task) => task(),
    },
    events: { emit: (name, fields) => void outcome.events.push({ name, ...fields }) },
    settings: { visitorMessagesPerMinute: 1_000_000, crawlAllowedHosts: [], rightsHolidays: [] },
    vectorLimits,
    queryLimits,
  };
}

function shortcuts(aimee: Aimee): Pick<AimeeRig, 'createSite' | 'say' | 'ids'> {
  return {
    createSite: ({ principal, holder }, settings) =>
      aimee.sites.create(principal, holder, { ...SETTINGS, ...settings }),
    async say(site, text, more = {}) {
      const message = { site: site.id, originIp: '192.0.2.1', turns: [], text, ...more };
      const { answer } = await aimee.visitors.message(message);
      return await answer(() => undefined, new AbortController().signal);
    },
    async ids({ holder }, site) {
      const { conversations } = await aimee.conversations.list(holder, site.id, { limit: 100 });
      return conversations.map(({ id }) => id);
    },
  };
}
