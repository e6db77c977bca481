import type { ConversationFacts } from '../../../aimee/conversation-reader.ts';
import type { Aimee } from '../../../aimee/create-aimee.ts';
import type { CrawlState } from '../../../aimee/crawls.ts';
import type { Counters } from '../../../aimee/customer-store.ts';
import type { Entry } from '../../../aimee/entries.ts';
import type { ListedGrant } from '../../../aimee/grants.ts';
import type { Site } from '../../../aimee/sites.ts';
import { type RequestId, clocked, newProgress } from '../../../rights/request.ts';
import type { Answered, VisitorMessage } from '../../../aimee/visitors.ts';
import { notFound } from '../../../kernel/errors.ts';
import type { AccountId, ConversationId, GrantId, SiteId } from '../../../kernel/ids.ts';
import type { NewDocument } from '../../../vectors/vectors.ts';
import { NOW, owner } from '../../testing/fakes.ts';
import type { AimeeParts } from '../parts.ts';

const STARTED = Math.floor(NOW / 1000);
export const SITE_ID = 'site_0000000000000000000a' as SiteId;
const CONVERSATION = 'conv_0000000000000000000a' as ConversationId;
const GRANT = 'grant_0000000000000000000a' as GrantId;

export const SITE: Site = {
  id: SITE_ID,
  accountId: owner.accountId,
  createdAt: STARTED,
  knowledge: null,
  name: 'Pumps & more',
  persona: '',
  language: 'de',
  allowedOrigins: ['https://example.com'],
  suggestions: ['Which "valve"?'],
  functions: [],
  handOver: { kind: 'email', email: 'office@example.com' },
  retentionDays: 90,
  isOn: true,
  messagesPerMinute: 60,
  messagesPerDay: 5000,
  look: {
    title: '',
    greeting: '<b>Hi</b>',
    accent: '#3b5bdb',
    theme: 'auto',
    position: 'right',
    privacyUrl: '',
  },
};

const FACTS: ConversationFacts = {
  id: CONVERSATION,
  reference: 'K7QF-2M9X-P4TZ',
  startedAt: STARTED,
  messages: 1,
  unanswered: 0,
  up: 1,
  down: 0,
  handedOver: true,
  restricted: false,
  objected: false,
};
const ENTRIES: Entry[] = [
  {
    kind: 'answer',
    number: 1,
    question: 'Which valve?',
    answer: 'The red one.',
    answered: true,
    rating: 'up',
    sources: [{ title: 'Handbook', url: null }],
  },
  { kind: 'hand-over', number: 2, email: 'ann@example.org', text: 'Call me.', turns: [] },
];
const LISTED = { ...FACTS, firstQuestion: 'Which valve?' };
const COUNTERS: Counters = {
  conversations: 1,
  messages: 1,
  answered: 1,
  unanswered: 0,
  up: 1,
  down: 0,
  handOvers: 1,
};
const CRAWL: CrawlState = { status: 'running', pagesDone: 0, pages: 1, removed: 0, failures: [] };
const LENT: ListedGrant = {
  id: GRANT,
  siteId: SITE_ID,
  conversations: [CONVERSATION],
  reason: 'Ticket 7',
  createdAt: STARTED,
  endsAt: STARTED + 600,
  ended: null,
  reads: 1,
};
const UPLOAD = {
  uploadId: 'upl_1',
  documentId: 'handbook',
  status: 'completed',
  pagesDone: 1,
  pages: 1,
  passages: 2,
  embedded: 2,
  error: null,
} as const;

export const ANSWERED: Answered = {
  answered: true,
  sources: [{ title: 'Handbook', url: null }],
  ticket: 'opaque',
  reference: 'K7QF-2M9X-P4TZ',
  message: 1,
  handOver: { kind: 'email' },
};

export interface FakeAimee extends AimeeParts {
  readonly service: AimeeParts['service'];
  /** Messages that were let in, newest last. */
  readonly messages: VisitorMessage[];
  /** The last document's fields. */
  received: Omit<NewDocument, 'content'> | undefined;
  /** What a message is answered with; a test replaces it. */
  answer: (onText: (text: string) => void, signal: AbortSignal) => Promise<Answered>;
}

/** Of the owner is one site with one conversation; everything else is not there. */
export function fakeAimee(): FakeAimee {
  const site = async (accountId: AccountId, id: string): Promise<Site> => {
    if (accountId !== owner.accountId || id !== SITE_ID) throw notFound('site');
    return SITE;
  };
  const fake: FakeAimee = {
    messages: [],
    received: undefined,
    answer: async (onText) => {
      onText('The red one.');
      return ANSWERED;
    },
    originIp: () => '192.0.2.1',
    widget: {
      current: async () => ({ file: 'aimee-1.js', integrity: 'sha384-abc' }),
      named: async (file) =>
        file === 'aimee-1.js'
          ? { type: 'text/javascript', content: Buffer.from('widget'), compressed: undefined }
          : undefined,
    },
    service: {
      ...customerService(site, (document) => (fake.received = document)),
      sites: {
        list: async (accountId) => (accountId === owner.accountId ? [SITE] : []),
        get: site,
        create: async (_principal, _holder, settings) => ({ ...SITE, ...settings }),
        update: async (principal, id, settings) => ({
          ...(await site(principal.accountId, id)),
          ...settings,
        }),
        forVisitors: async () => SITE,
        accounts: () => new Set([owner.accountId]),
      },
      visitors: {
        async message(message) {
          if (message.site !== SITE_ID) throw notFound('site');
          fake.messages.push(message);
          return { siteId: SITE_ID, answer: (onText, signal) => fake.answer(onText, signal) };
        },
        async rate({ ticket }) {
          if (ticket !== ANSWERED.ticket) throw notFound('conversation');
        },
        handOver: async () => undefined,
      },
    },
  };
  return fake;
}

function fakeRequests(site: (accountId: AccountId, id: string) => Promise<Site>): Aimee['visitorRequests'] {
  const id = 'req_00000000000000000001' as RequestId;
  const { reference } = FACTS;
  const progress = newProgress('verified', '2026-11-23');
  const one = { id, siteId: SITE_ID, kind: 'access', conversationId: CONVERSATION, reference } as const;
  const request = clocked({ ...one, ...progress }, '2026-11-23', new Set());
  return {
    async list(accountId, siteId) {
      await site(accountId, siteId);
      return [request];
    },
    begin: async () => request,
    copy: async () => ({ site: SITE, conversation: { ...FACTS, entries: ENTRIES, notes: [] } }),
    complete: async () => request,
    extend: async () => request,
    refuse: async () => request,
  };
}

function customerService(
  site: (accountId: AccountId, id: string) => Promise<Site>,
  onDocument: (document: Omit<NewDocument, 'content'>) => void,
): Omit<Aimee, 'copier' | 'sites' | 'visitors' | 'rest' | 'erase'> {
  return {
    canSendMail: true,
    knowledge: {
      async upload(_editor, _siteId, { content, ...document }) {
        for await (const _chunk of content);
        onDocument(document);
        return { uploadId: UPLOAD.uploadId, documentId: UPLOAD.documentId };
      },
      uploadState: async () => UPLOAD,
      rotateKeys: async () => 0,
      async *watchUpload() {
        yield UPLOAD;
      },
      cancelUpload: async () => false,
      documents: async () => [{ documentId: 'handbook', passages: 2, metadata: { title: 'Handbook' } }],
      deleteDocument: async () => undefined,
    },
    crawls: { start: async () => CRAWL, state: () => CRAWL, cancel: async () => CRAWL },
    conversations: {
      list: async ({ accountId }, id) => {
        await site(accountId, id);
        return { conversations: [LISTED], next: null };
      },
      search: async () => ({ conversations: [LISTED], searched: 1, next: null }),
      get: async () => ({ ...FACTS, entries: ENTRIES, notes: [] }),
      async export() {
        return (async function* pieces() {
          yield 'a,b\r\n';
        })();
      },
      unanswered: async () => ({
        questions: [{ question: 'Why?', times: 2, conversation: CONVERSATION }],
        searched: 2,
      }),
      statistics: async () => ({ days: [{ day: '2026-11-23', ...COUNTERS }], total: COUNTERS }),
    },
    purges: {
      purge: async () => ({ conversations: 1, receipt: 'a.b.c' }),
      resetStatistics: async () => 'a.b.c',
    },
    grants: {
      create: async () => LENT,
      list: async () => [LENT],
      end: async () => ({ ...LENT, ended: { at: STARTED + 60, by: 'customer' } }),
      log: async () => ({
        entries: [
          {
            number: 1,
            at: STARTED,
            event: 'granted',
            grant: GRANT,
            conversation: null,
            hash: new Uint8Array(32),
          },
        ],
        isIntact: true,
      }),
      open: () => [{ ...LENT, accountId: owner.accountId, siteName: SITE.name }],
      read: async () => ({ ...FACTS, entries: ENTRIES, notes: [] }),
    },
    visitorRequests: fakeRequests(site),
    deleteSite: async () => 'a.b.c',
    close: async () => undefined,
  };
}
