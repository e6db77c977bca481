import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AimeeStatistics } from '../contract/index.ts';
import {
  type Platform,
  type ScriptedModel,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import {
  type CrowdOptions,
  type CrowdResult,
  type KeptConversation,
  answerVisitor,
  faultsOf,
  sendCrowd,
} from '../testkit/visitor-crowd.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Customer, newCustomer } from './aimee-customer.ts';
import { processTree } from './server-process.ts';

/**
 * Visitors of fifty customers at once, who leave in the middle, and a server that is killed in the middle. One data
 * directory goes through it all.
 */
const CUSTOMERS = 50;
const QUESTIONS = ['Which valve stops the cooling pump at once?', 'Is the red valve behind the panel?'];
let model: ScriptedModel;
/** Hears each question that the model is asked. */
let onAsked = (): void => undefined;
let env: Record<string, string>;
let platform: Platform;
/** By site. */
const customers = new Map<string, Customer>();
/** Once every site's files are open. */
let handlesAtRest: number;

beforeAll(async () => {
  model = await startScriptedModel((request) => {
    onAsked();
    const isHalf = request.text.includes('#half-');
    return { ...answerVisitor(request), ...(isHalf && { beforeWrite: silentAfterTwo() }) };
  });
  env = {
    JELLYFAAS_MODEL_URL: model.url,
    JELLYFAAS_MODEL_NAME: 'scripted',
    JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
    JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '1000000',
  };
  platform = await startPlatform({ env });
  const names = Array.from({ length: CUSTOMERS }, (_, at) => `crowd${at}`).values();
  await Promise.all(Array.from({ length: 4 }, () => openSites(names)));
  await sendCrowd(optionsOf({ name: 'warm', visitors: CUSTOMERS, messagesEach: 1 }));
  await kept();
  handlesAtRest = handles();
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
});

async function openSites(names: Iterable<string>): Promise<void> {
  const owner = createClient(platform.url, platform.apiKey);
  for (const name of names) {
    const customer = await newCustomer(() => platform, owner, name);
    const { id } = await customer.createSite({ name, messagesPerMinute: 10_000, messagesPerDay: 1_000_000 });
    await customer.upload(id, 'The red valve behind the panel stops the cooling pump at once.', 'Handbook');
    customers.set(id, customer);
  }
}

type Crowd = Pick<CrowdOptions, 'name' | 'visitors' | 'messagesEach' | 'calledOffShare'>;

const optionsOf = (crowd: Crowd): CrowdOptions => ({
  ...crowd,
  url: platform.url,
  sites: [...customers.keys()],
  questions: QUESTIONS,
});

/** The first words come, and then nothing more. */
function silentAfterTwo(): () => Promise<void> {
  let writes = 0;
  return async () => {
    if (++writes === 2) await new Promise(() => undefined);
  };
}

/** What every customer finds, by site. */
async function kept(): Promise<Map<string, KeptConversation[]>> {
  const found = new Map<string, KeptConversation[]>();
  for (const [site, customer] of customers) {
    const exported = await customer.request('GET', `/sites/${site}/export?format=json`);
    found.set(site, (await exported.json()) as KeptConversation[]);
  }
  return found;
}

/** Open files and sockets of the server and its engines. */
function handles(): number {
  const pids = processTree(platform.pid).map((id) => Number.parseInt(id, 10));
  return pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
}

it('keeps nothing of messages whose visitors leave before the answer is whole, and lets go of the model', async () => {
  const [before, asked] = [await kept(), model.requests.length];
  const half = optionsOf({ name: 'half', visitors: 4 * CUSTOMERS, messagesEach: 2, calledOffShare: 1 });
  expect((await sendCrowd(half)).acknowledged).toEqual([]);

  const requests = model.requests.slice(asked);
  expect(requests.length).toBeGreaterThan(CUSTOMERS);
  expect(new Set(await Promise.all(requests.map(({ ended }) => ended)))).toEqual(new Set(['client-left']));
  expect(await kept()).toEqual(before);
  for (const [site, customer] of customers) {
    const { total } = await customer.api<AimeeStatistics>('GET', `/sites/${site}/statistics`);
    expect(total).toMatchObject({ conversations: 1, messages: 1 });
  }
  await expect.poll(handles, { timeout: 60_000, interval: 500 }).toBeLessThanOrEqual(handlesAtRest);
});

it('loses and crosses nothing when some stay to the end and others leave', async () => {
  const mixed = optionsOf({ name: 'mixed', visitors: 4 * CUSTOMERS, messagesEach: 3, calledOffShare: 0.4 });
  const result = await sendCrowd(mixed);
  expect(result.failures).toEqual([]);
  expect(result.acknowledged.length).toBeGreaterThan(CUSTOMERS);
  expect(faultsOf(mixed, result, await kept())).toEqual([]);
  await expect.poll(handles, { timeout: 60_000, interval: 500 }).toBeLessThanOrEqual(handlesAtRest);
});

it('loses, tears and crosses nothing that was acknowledged before it was killed, however often', async () => {
  const lives: { readonly options: CrowdOptions; readonly result: CrowdResult }[] = [];
  for (const [name, questions] of Object.entries({ firstlife: 90, secondlife: 200, thirdlife: 150 })) {
    const enough = Promise.withResolvers<void>();
    let left = questions;
    onAsked = () => void (--left === 0 && enough.resolve());
    const options = optionsOf({ name, visitors: 2 * CUSTOMERS, messagesEach: 100 });
    const visiting = sendCrowd(options);
    await enough.promise;
    await platform.crash();
    lives.push({ options, result: await visiting });
    platform = await startPlatform({ dataDir: platform.dataDir, env });
  }
  const found = await kept();
  for (const { options, result } of lives) {
    expect(result.failures.length).toBe(options.visitors);
    expect(result.acknowledged.length).toBeGreaterThan(0);
    expect(faultsOf(options, result, found)).toEqual([]);
  }
  for (const [site, customer] of customers) {
    const { total } = await customer.api<AimeeStatistics>('GET', `/sites/${site}/statistics`);
    const messages = (found.get(site) ?? []).reduce((sum, { entries }) => sum + entries.length, 0);
    expect(total).toMatchObject({ conversations: found.get(site)?.length, messages });
  }
});
