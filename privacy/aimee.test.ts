import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { customerOf, newCustomer } from '../acceptance/aimee-customer.ts';
import type { AimeePurged, AimeeSite } from '../contract/index.ts';
import { type MailServer, startMailServer } from '../testkit/mail-server.ts';
import {
  type Platform,
  type ScriptedModel,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { startCanaryRun } from './harness/canary.ts';
import { connectionsDuring } from './connections.ts';
import type { Script } from './exercise-ai.ts';
import {
  type Chat,
  exerciseCrawls,
  exerciseCustomer,
  exerciseVisitors,
  furnishSite,
} from './exercise-aimee.ts';
import { tell } from './harness/sweep.ts';
import { inspectFiles, inspectRunning, sinksIn } from './inspect.ts';
import { checkoutOf } from './mutants.ts';
import { type StoredRow, readAllStores, readConversations } from './open-stores.ts';
import { type BackupPlaces, restoreBackup } from './restore-backup.ts';
import { AIMEE_MUTANTS } from './service-mutants.ts';

/** P27 to P36: what visitors say, what assistants answer and what customers look for opens with the customer's key alone. */
const script: Script = { replies: [] };
let model: ScriptedModel;
let mails: MailServer;
let embeddings: string;

beforeAll(async () => {
  embeddings = await fetchTestEmbeddingModel();
  model = await startScriptedModel(() => script.replies.shift() ?? { text: 'nothing more to say' });
  mails = await startMailServer();
});

afterAll(async () => {
  await model.close();
  await mails.close();
});

/** A platform that was talked to, and what a thief had of it before and after the customer purged. */
interface Raided extends Chat {
  readonly platform: Platform;
  readonly site: AimeeSite;
  readonly startedAt: number;
  /** Hosts that the platform turned to while visitors asked and the customer read. */
  readonly peers: ReadonlySet<string>;
  /** Copy of the data directory, keys and all, from before. */
  readonly before: string;
  /** The same copy with the keys of afterwards: an image of the disk, and whoever runs the installation. */
  readonly after: string;
  /** The backup of before, restored. */
  restored(): Promise<string>;
  /** Gone by itself when the customer has purged. */
  purge(): Promise<number>;
  remove(): void;
}

function start({ target, keysTarget }: BackupPlaces, checkout?: string): Promise<Platform> {
  return startPlatform({
    ...(checkout !== undefined && { checkout }),
    env: {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: embeddings,
      JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '1000',
      JELLYFAAS_SMTP_URL: mails.url,
      JELLYFAAS_SMTP_FROM: 'AI.Mee <aimee@example.com>',
      JELLYFAAS_BACKUP_TARGET: target,
      JELLYFAAS_BACKUP_KEYS_TARGET: keysTarget,
    },
  });
}

async function raid(checkout?: string): Promise<Raided> {
  const startedAt = Date.now();
  const loot = mkdtempSync(join(tmpdir(), 'jellyfaas-raid-'));
  const [before, after, target, keysTarget] = ['before', 'after', 'backups', 'keys'].map((name) =>
    join(loot, name),
  ) as [string, string, string, string];
  const backups = { target, keysTarget };
  const platform = await start(backups, checkout);
  const customer = await newCustomer(() => platform, createClient(platform.url, platform.apiKey), 'ann');
  const staff = customerOf(() => platform, platform.apiKey);
  const chat: Chat = { url: platform.url, customer, staff, script, run: startCanaryRun() };
  const site = await furnishSite(chat);
  const talk = async (): Promise<void> => {
    await exerciseVisitors(chat, site);
    await exerciseCustomer(chat, site);
    const mailed = (): void => expect(mails.mails.join()).toContain(chat.run.stem);
    await vi.waitFor(mailed, { timeout: 15_000 });
  };
  const peers = await connectionsDuring(platform.pid, talk);
  await exerciseCrawls(chat, site);
  const headers = { 'x-jf-apikey': platform.apiKey };
  const made = await fetch(`${platform.url}/api/v1/backups`, { method: 'POST', headers });
  expect(await made.json()).toMatchObject({ generation: 1 });
  for (const copy of [before, after])
    cpSync(platform.dataDir, copy, { recursive: true, verbatimSymlinks: true });
  return {
    ...chat,
    platform,
    site,
    startedAt,
    peers,
    before,
    after,
    restored: () => restoreBackup(backups, platform.dataDir, loot),
    async purge() {
      const path = `/sites/${site.id}/purge`;
      const { conversations } = await customer.api<AimeePurged>('POST', path, { scope: 'all' });
      await platform.stop();
      rmSync(join(after, 'keys'), { recursive: true });
      cpSync(join(platform.dataDir, 'keys'), join(after, 'keys'), { recursive: true });
      return conversations;
    },
    remove() {
      platform.remove();
      rmSync(loot, { recursive: true });
    },
  };
}

/** What the service has to read in order to answer (data map): settings, knowledge, and why it was let in. */
const READABLE = {
  site: [
    'address for hand-overs',
    'greeting',
    'persona',
    'policy',
    'site name',
    'suggested question',
    'title',
  ],
  knowledge: ['knowledge', 'knowledge title'],
  support_grant: ['reason of a grant'],
};
const ALL_READABLE = Object.values(READABLE).flat();

/** By what it is: the service reads rows of these kinds, and of no other one that holds what somebody wrote. */
function kindOf({ store, table }: StoredRow): string {
  return store.endsWith('vectors.db') ? 'knowledge' : store.startsWith('aimee/acct_') ? table : store;
}

function readableIn(rows: readonly StoredRow[], { run }: Chat): Record<string, string[]> {
  const kinds = Object.entries(Object.groupBy(rows, kindOf));
  const sinks = kinds.map(([kind, own = []]) => [kind, sinksIn(own, run)] as const);
  return Object.fromEntries(sinks.filter(([, found]) => found.length > 0));
}

/** Everything that is wrong, for the leaky builds. */
async function leaksOf(raided: Raided): Promise<string[]> {
  const { platform, run, startedAt, before, after, customer } = raided;
  const readable = readableIn(await readAllStores(before), raided);
  const images = [after, await raided.restored()];
  const kept = await Promise.all(images.map((image) => readConversations(image, customer.apiKey)));
  return [
    ...tell(inspectFiles(platform, run, startedAt), run),
    ...Object.values(readable)
      .flat()
      .filter((sink) => !ALL_READABLE.includes(sink)),
    ...sinksIn(kept.flat(), run).map((sink) => `${sink} after a purge`),
  ];
}

describe('conversations leave nothing of what was said', () => {
  let raided: Raided;
  beforeAll(async () => void (raided = await raid()));
  afterAll(() => raided.remove());

  it('in processes, their open and unlinked files, arguments and environments, and in any answer but the customer’s', async () => {
    const { platform, staff, run } = raided;
    expect(run.sinks.size).toBeGreaterThan(50);
    const client = createClient(platform.url, staff.apiKey);
    expect(tell(await inspectRunning(platform, client, run), run)).toEqual([]);
  });

  it('on disk, in backups, logs or temporary files, and nothing of what customers know or set either', () => {
    const { platform, run, startedAt } = raided;
    expect(tell(inspectFiles(platform, run, startedAt), run)).toEqual([]);
  });

  it('to whoever has the disk and every key of the service: what opens is what the data map says', async () => {
    expect(readableIn(await readAllStores(raided.before), raided)).toEqual(READABLE);
  });

  it('to any host but the declared ones: the model and the mail server of the installation', () => {
    const declared = [model.url, mails.url].map((url) => `127.0.0.1:${new URL(url).port}`);
    expect([...raided.peers].toSorted()).toEqual(declared.toSorted());
  });

  it('to the mail server, which hears who asks for a person and what he wrote to be sent', () => {
    const mail = { store: 'mail', table: 'mail', row: { mail: mails.mails.join() } };
    expect(sinksIn([mail], raided.run)).toEqual([
      'address for hand-overs',
      'e-mail of a visitor',
      'site name',
      'words to a person',
    ]);
  });

  it('to the staff with disk, backups, every key of the service, and a key of its own account', async () => {
    const { before, staff } = raided;
    for (const image of [before, await raided.restored()])
      expect(await readConversations(image, staff.apiKey)).toEqual([]);
  });

  it('but all of it to the customer, from a backup, too', async () => {
    const { before, customer, run } = raided;
    for (const image of [before, await raided.restored()]) {
      const read = sinksIn(await readConversations(image, customer.apiKey), run);
      for (const sink of ['question at first', 'answer', 'e-mail of a visitor', 'words to a person'])
        expect(read).toContain(sink);
      // The source of an answer.
      expect(read.filter((sink) => ALL_READABLE.includes(sink))).toEqual(['knowledge title']);
      expect(read.filter((sink) => /nobody waits|abandoned|origin|refused/.test(sink))).toEqual([]);
    }
  });

  it('and to nobody after a purge, not from copies and backups of before either: not even to the customer', async () => {
    const { platform, before, customer } = raided;
    const conversations = await raided.purge();
    expect(await leaksOf(raided)).toEqual([]);
    expect(conversations).toBeGreaterThan(3);
    expect((await readConversations(before, customer.apiKey)).length).toBeGreaterThan(conversations);
    expect(await readConversations(platform.dataDir, customer.apiKey)).toEqual([]);
    const rows = await readAllStores(platform.dataDir);
    expect(rows.filter(({ table }) => ['conversation', 'entry'].includes(table))).toEqual([]);
    expect(rows.some(({ table }) => table === 'counter')).toBe(true);
  });
});

describe('the harness catches', () => {
  it.each(AIMEE_MUTANTS)('$name', async (mutant) => {
    const leaky = await raid(checkoutOf(mutant));
    try {
      await leaky.purge();
      expect(await leaksOf(leaky)).not.toEqual([]);
    } finally {
      await leaky.platform.stop();
      leaky.remove();
    }
  });
});
