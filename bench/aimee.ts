import { loadavg } from 'node:os';
import { customerOf, type Customer } from '../acceptance/aimee-customer.ts';
import type { AimeePurged } from '../contract/index.ts';
import { type CrowdOptions, type KeptConversation, faultsOf } from '../testkit/visitor-crowd.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Bench, dataDirFor, type Measurement, type Running, withPlatform } from './bench.ts';
import { startModel } from './model.ts';
import { childrenCpuSeconds, cpuSeconds } from './processes.ts';
import type { Row } from './report.ts';
import { percentile } from './statistics.ts';

const VISITORS = 500;
/** From an answer to the next message, as somebody reads and types. */
const PAUSE_MS = { from: 8000, to: 12_000 };

const PARTS = ['valve', 'filter', 'handle', 'lamp', 'switch'];
const PLACES = ['cooling pump', 'boiler', 'crane', 'compressor', 'ventilator', 'generator', 'lift', 'gate'];

/** What the site knows, and what it is asked: forty things, each in a paragraph of its own. */
const KNOWLEDGE = PARTS.flatMap((part) =>
  PLACES.map((place) => `The red ${part} of the ${place} is behind the panel. It is turned to the right.`),
);
const QUESTIONS = PARTS.flatMap((part) => PLACES.map((place) => `Where is the red ${part} of the ${place}?`));

type Site = Running & { readonly customer: Customer };

/** Many visitors of one site at once, with a scripted model: as visitors behave, and without any pause. */
export const measureAimee: Measurement = async (bench) => {
  const model = await startModel();
  try {
    const env = {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
      JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '100000',
    };
    return await withPlatform(dataDirFor(bench, 'aimee'), env, async (running) => {
      const { platform } = running;
      const site = { ...running, customer: customerOf(() => platform, platform.apiKey) };
      const rounds = bench.isQuick ? 2 : 6;
      const visitors = { visitors: VISITORS, messagesEach: rounds };
      const paced = { ...visitors, name: 'paced', pauseMs: PAUSE_MS };
      return [
        ...(await measureCrowd(bench, site, { ...paced, what: 'every 8–12 s', isGoal: true })),
        ...(await measureCrowd(bench, site, { ...visitors, name: 'knowing', what: 'without a pause' })),
        ...(await measureCrowd(bench, site, {
          ...visitors,
          name: 'unknowing',
          what: 'without a pause and without knowledge',
        })),
        await measurePurge(bench, site),
      ];
    });
  } finally {
    model.close();
  }
};

interface Crowd extends Pick<CrowdOptions, 'name' | 'visitors' | 'messagesEach' | 'pauseMs'> {
  readonly what: string;
  readonly isGoal?: boolean;
}

async function measureCrowd(
  bench: Bench,
  { platform, customer }: Site,
  { what, isGoal = false, ...crowd }: Crowd,
): Promise<Row[]> {
  bench.note(`aimee, ${crowd.visitors} visitors ${what}`);
  const { id } = await customer.createSite({
    name: crowd.name,
    messagesPerMinute: 10_000,
    messagesPerDay: 1_000_000,
  });
  if (crowd.name !== 'unknowing') await customer.upload(id, KNOWLEDGE.join('\n\n'), 'Handbook');
  const options = { ...crowd, url: platform.url, sites: [id], questions: QUESTIONS };
  await bench.loader.crowd({ ...options, visitors: 20, name: 'warm' });
  const cpu = (): number => cpuSeconds(platform.pid) + childrenCpuSeconds(platform.pid);
  const [cpuBefore, from] = [cpu(), performance.now()];
  const result = await bench.loader.crowd(options);
  const seconds = (performance.now() - from) / 1000;
  const count = result.acknowledged.length;
  const cpuMs = ((cpu() - cpuBefore) / count) * 1000;
  const kept = await customer.request('GET', `/sites/${id}/export?format=json`);
  const faults = faultsOf(options, result, new Map([[id, (await kept.json()) as KeptConversation[]]]));
  const p = (values: readonly number[], share: number): string =>
    `${percentile(values, share).toFixed(0)} ms`;
  const name = `AI.Mee, ${crowd.visitors} visitors ${what}`;
  return [
    {
      what: `${name}: our part to the first word, p99`,
      unit: 'ms',
      measured: percentile(result.firstWordMs, 0.99),
      ...(isGoal && { goal: { atMost: 100 } }),
      detail:
        `p50 ${p(result.firstWordMs, 0.5)}; durable p50 ${p(result.durableMs, 0.5)}, ` +
        `p99 ${p(result.durableMs, 0.99)}; ${(count / seconds).toFixed(0)} messages/s; ` +
        `load average ${loadavg()[0]?.toFixed(1)}`,
    },
    { what: `${name}: CPU per message`, unit: 'ms', measured: cpuMs, detail: 'server and its engines' },
    {
      what: `${name}: lost, torn, crossed or refused messages`,
      unit: '',
      measured: faults.length + result.failures.length,
      goal: { atMost: 0 },
      detail: `of ${result.sent.length}`,
    },
  ];
}

/** One site takes so many in a minute. */
const PURGED_EACH = 10_000;

/** From the first order to the last receipt, when no key and no row is left. */
async function measurePurge(bench: Bench, { platform, customer }: Site): Promise<Row> {
  const [count, each] = bench.isQuick ? [1, 2000] : [10, PURGED_EACH];
  bench.note(`aimee, purge of ${count * each} conversations`);
  const sites: string[] = [];
  for (let at = 0; at < count; at++) {
    const { id } = await customer.createSite({
      name: `purged ${at}`,
      messagesPerMinute: PURGED_EACH,
      messagesPerDay: 1_000_000,
    });
    sites.push(id);
    const crowd = {
      url: platform.url,
      sites: [id],
      questions: QUESTIONS,
      visitors: VISITORS,
      messagesEach: 1,
    };
    for (let said = 0; said < each; said += VISITORS) await bench.loader.crowd({ ...crowd, name: 'purged' });
  }
  const [cpuBefore, from] = [cpuSeconds(platform.pid), performance.now()];
  let conversations = 0;
  for (const id of sites) {
    const purged = await customer.api<AimeePurged>('POST', `/sites/${id}/purge`, { scope: 'all' });
    conversations += purged.conversations;
  }
  const seconds = (performance.now() - from) / 1000;
  return {
    what: `AI.Mee, purge of ${conversations} conversations`,
    unit: 's',
    measured: seconds,
    ...(!bench.isQuick && { goal: { atMost: 5 } }),
    detail:
      `${count} site(s), one after the other; ${(cpuSeconds(platform.pid) - cpuBefore).toFixed(1)} s of the ` +
      `server's CPU; load average ${loadavg()[0]?.toFixed(1)}`,
  };
}
