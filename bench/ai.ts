import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Deployed } from '../testkit/client.ts';
import { fixtureFiles } from '../testkit/zip.ts';
import { type Bench, dataDirFor, type Measurement, type Running, withPlatform } from './bench.ts';
import { type BenchModel, CROWD_DELTAS, STAMP_LENGTH, startModel } from './model.ts';
import { residentMib } from './processes.ts';
import type { Row } from './report.ts';
import { median, percentile } from './statistics.ts';

const STREAMS = 200;
const STEPS = 2;
const SHORTNAME = 'aibench';

/** What the query loop adds to the model and the functions that it calls. The model is scripted. */
export const measureAi: Measurement = async (bench) => {
  const model = await startModel();
  try {
    const env = { JELLYFAAS_MODEL_URL: model.url, JELLYFAAS_MODEL_NAME: 'scripted' };
    return await withPlatform(dataDirFor(bench, 'ai'), env, async (running) => {
      const queryParams = [{ name: 'do', required: true }];
      const requirements = { requestType: 'GET', queryParams };
      const deployed = await running.client.deploy(
        SHORTNAME,
        fixtureFiles('probe', { shortname: SHORTNAME, requirements }),
      );
      // First, as long as the server's memory has not grown by anything else.
      const crowd = await measureCrowd(bench, running);
      return [
        await measureSteps(bench, { ...running, model, deployed }),
        await measureFirstDelta(bench, { ...running, model }),
        ...crowd,
      ];
    });
  } finally {
    model.close();
  }
};

type WithModel = Running & { readonly model: BenchModel };

/** Two steps, a call of a function and the answer, less the same call made directly and the model's own time. */
async function measureSteps(
  bench: Bench,
  { client, model, deployed }: WithModel & { readonly deployed: Deployed },
): Promise<Row> {
  bench.note('ai, steps of a query');
  const rounds = bench.isQuick ? 100 : 500;
  const jfwt = await client.token();
  const direct = async (): Promise<number> => {
    const from = performance.now();
    await whole(await send(`${deployed.url}?do=count`, { method: 'GET', headers: { jfwt } }));
    return performance.now() - from;
  };
  const query = async (): Promise<number> => {
    const modelTook = model.took(STEPS);
    const from = performance.now();
    const answer = await whole(await ask(client, { question: 'call it', functions: [SHORTNAME] }));
    const tookMs = performance.now() - from;
    if (!answer.includes('It was called.')) throw new Error(`the query answered ${answer}`);
    return tookMs - (await modelTook);
  };
  // Until the compilers of all processes have settled.
  for (let round = 0; round < rounds / 2; round++) await query();
  const perStep: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const directMs = await direct();
    perStep.push(((await query()) - directMs) / STEPS);
  }
  return {
    what: 'Query loop: added per step, p50',
    unit: 'ms',
    measured: median(perStep),
    goal: { atMost: 5 },
    detail: `p99 ${percentile(perStep, 0.99).toFixed(2)} ms; ${STEPS} steps, without model and function`,
  };
}

/** From the model's first delta, which holds the time it was written, to the client that reads it. */
async function measureFirstDelta(bench: Bench, { client, model }: WithModel): Promise<Row> {
  bench.note('ai, first delta');
  const rounds = bench.isQuick ? 100 : 500;
  const tookMs: number[] = [];
  for (let round = -rounds / 2; round < rounds; round++) {
    const answer = await ask(client, { question: 'stream' }, 'text/event-stream');
    let seen = '';
    for await (const chunk of answer) {
      const isFirst = !seen.includes('"type":"text"');
      seen += String(chunk);
      const stamp = new RegExp(`"text":"(\\d+) {0,${STAMP_LENGTH}}"`).exec(seen)?.[1];
      if (!isFirst || stamp === undefined) continue;
      if (round >= 0) tookMs.push(Number(process.hrtime.bigint() - BigInt(stamp)) / 1e6);
      model.release();
    }
    if (!isComplete(seen)) throw new Error(`the stream was ${seen}`);
  }
  return {
    what: 'Query stream: first delta from model to client, p50',
    unit: 'ms',
    measured: median(tookMs),
    goal: { atMost: 5 },
    detail: `p99 ${percentile(tookMs, 0.99).toFixed(2)} ms`,
  };
}

/** All are open before the first of them goes on; twice, so that some find everything warm. */
async function measureCrowd(bench: Bench, { client, platform }: Running): Promise<Row[]> {
  bench.note(`ai, ${STREAMS} streams at once`);
  const before = residentMib(platform.pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, residentMib(platform.pid))), 50);
  let failed = 0;
  for (let round = 0; round < 2; round++) {
    const streams = Array.from({ length: STREAMS }, async () =>
      text(await ask(client, { question: `crowd ${STREAMS}` }, 'text/event-stream')),
    );
    const ends = await Promise.allSettled(streams);
    failed += ends.filter((end) => end.status === 'rejected' || !isComplete(end.value)).length;
  }
  clearInterval(watch);
  return [
    {
      what: `Query streams, ${STREAMS} at once: failed`,
      unit: '',
      measured: failed,
      goal: { atMost: 0 },
      detail: `2 × ${STREAMS} streams of ${CROWD_DELTAS} deltas`,
    },
    {
      what: `Query streams, ${STREAMS} at once: growth of the server's memory`,
      unit: 'MiB',
      measured: peak - before,
      goal: { atMost: 300 },
      detail: `from ${Math.round(before)} MiB to ${Math.round(peak)} MiB at its peak`,
    },
  ];
}

const isComplete = (events: string): boolean =>
  events.includes('"type":"answer"') &&
  events.includes('"type":"done"') &&
  !events.includes('"type":"error"');

function ask(client: Running['client'], body: object, accept = 'application/json'): Promise<IncomingMessage> {
  return send(`${client.url}/api/v1/ai/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-jf-apikey': client.apiKey, accept },
    body: JSON.stringify(body),
  });
}

interface Sent {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** Bare of what `fetch` adds to what is measured. */
function send(url: string, { method, headers, body }: Sent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, resolve).on('error', reject).end(body);
  });
}

async function whole(response: IncomingMessage): Promise<string> {
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${answer}`);
  return answer;
}
