import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScriptedReply, ScriptedRequest } from './scripted-model.ts';

/**
 * Many visitors of AI.Mee at once. Every message carries a mark of its own, which the scripted model repeats, so that
 * whatever was lost, torn or handed to somebody else shows.
 */
export interface CrowdOptions {
  readonly url: string;
  /** Keys of the sites; visitors are spread over them in turn. */
  readonly sites: readonly string[];
  readonly visitors: number;
  readonly messagesEach: number;
  /** Asked in turn. */
  readonly questions: readonly string[];
  /** Letters that tell the marks of this crowd from those of others. */
  readonly name: string;
  /** From an answer to the next message; without it the next follows at once. */
  readonly pauseMs?: { readonly from: number; readonly to: number };
  /** Share of the messages that are called off at one moment or another. */
  readonly calledOffShare?: number;
}

export interface Acknowledged {
  readonly site: string;
  readonly mark: string;
  readonly reference: string;
  readonly number: number;
  readonly answer: string;
}

export interface CrowdResult {
  readonly acknowledged: readonly Acknowledged[];
  /** Marks of all messages that were sent. */
  readonly sent: readonly string[];
  /** Of each acknowledged message, from its sending to the first word of the answer, the model's own time taken off. */
  readonly firstWordMs: readonly number[];
  /** The same to its end, when it is durable. */
  readonly durableMs: readonly number[];
  /** What messages ended with that were neither answered nor called off: a status, an error's code, `cut`. */
  readonly failures: readonly string[];
}

/** A conversation as its customer exports it. */
export interface KeptConversation {
  readonly reference: string;
  readonly messages: number;
  readonly entries: readonly {
    readonly number: number;
    readonly question: string;
    readonly answer: string;
  }[];
}

export interface Fault {
  readonly kind: 'lost' | 'torn' | 'crossed';
  readonly mark: string;
}

const MARK = /#([a-z]+)-(\d+)-(\d+)/;
const MOMENTS = ['sent', 'head', 'word'] as const;
const TURNS_MAX = 6;

/** What the model says to a visitor: his mark, and how long it took to say so. */
export function answerVisitor({ text, arrivedAt }: ScriptedRequest): ScriptedReply {
  const mark = [...text.matchAll(new RegExp(MARK, 'g'))].at(-1)?.[0] ?? '';
  const tookMs = (performance.now() - arrivedAt).toFixed(3);
  return { text: `It took ${tookMs} ms to say that it is the red one, ${mark} [1].`, deltaLength: 40 };
}

/** Everybody says all that he has to say; one whose message fails says no more. */
export async function sendCrowd(options: CrowdOptions): Promise<CrowdResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.visitors });
  const result = { acknowledged: [], sent: [], firstWordMs: [], durableMs: [], failures: [] };
  await Promise.all(
    Array.from({ length: options.visitors }, (_, at) => visit(options, agent, { at, result })),
  );
  agent.destroy();
  return result;
}

interface Growing {
  readonly acknowledged: Acknowledged[];
  readonly sent: string[];
  readonly firstWordMs: number[];
  readonly durableMs: number[];
  readonly failures: string[];
}

interface Turn {
  readonly role: 'visitor' | 'assistant';
  readonly text: string;
}

async function visit(
  options: CrowdOptions,
  agent: Agent,
  { at, result }: { readonly at: number; readonly result: Growing },
): Promise<void> {
  const { sites, messagesEach, questions, name, pauseMs, calledOffShare = 0 } = options;
  const site = sites[at % sites.length] ?? '';
  const turns: Turn[] = [];
  let ticket: string | undefined;
  // Nobody arrives together with everybody else.
  if (pauseMs !== undefined) await delay(Math.random() * pauseMs.to);
  for (let number = 1; number <= messagesEach; number++) {
    const mark = `#${name}-${at}-${number}`;
    const text = `${questions[(at + number) % questions.length]} ${mark}`;
    const isCalledOff = Math.random() < calledOffShare;
    const moment = isCalledOff ? MOMENTS[Math.floor(Math.random() * MOMENTS.length)] : undefined;
    result.sent.push(mark);
    const body = { site, text, ticket, turns: turns.slice(-TURNS_MAX) };
    const heard = await say(options.url, agent, { body, moment });
    if (heard === 'called off') continue;
    if (typeof heard === 'string') {
      result.failures.push(heard);
      return;
    }
    const { answer, done, firstWordMs, durableMs } = heard;
    ticket = done.ticket;
    turns.push({ role: 'visitor', text }, { role: 'assistant', text: answer });
    result.acknowledged.push({ site, mark, reference: done.reference, number: done.message, answer });
    const modelMs = Number(/took ([\d.]+) ms/.exec(answer)?.[1] ?? 0);
    result.firstWordMs.push(firstWordMs - modelMs);
    result.durableMs.push(durableMs - modelMs);
    if (pauseMs !== undefined) await delay(pauseMs.from + Math.random() * (pauseMs.to - pauseMs.from));
  }
}

interface Saying {
  readonly body: object;
  readonly moment: (typeof MOMENTS)[number] | undefined;
}

interface Heard {
  readonly answer: string;
  readonly done: { readonly ticket: string; readonly reference: string; readonly message: number };
  readonly firstWordMs: number;
  readonly durableMs: number;
}

/** The answer, or in words how there was none. */
async function say(url: string, agent: Agent, { body, moment }: Saying): Promise<Heard | string> {
  const from = performance.now();
  const sending = request(`${url}/aimee/v1/messages`, {
    agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'null' },
  });
  sending.end(JSON.stringify(body));
  const leave = (): 'called off' => {
    sending.destroy();
    return 'called off';
  };
  try {
    if (moment === 'sent') {
      sending.on('error', () => undefined);
      await new Promise((resolve) => sending.once('finish', resolve));
      return leave();
    }
    const response = await responseTo(sending);
    if (moment === 'head') return leave();
    let text = '';
    let firstWordMs: number | undefined;
    for await (const chunk of response) {
      text += String(chunk);
      if (firstWordMs !== undefined || !text.includes('event: text')) continue;
      if (moment === 'word') return leave();
      firstWordMs = performance.now() - from;
    }
    if (response.statusCode !== 200) return `status ${response.statusCode}`;
    return heardIn(text, { firstWordMs: firstWordMs ?? Number.NaN, durableMs: performance.now() - from });
  } catch {
    return moment === undefined ? 'cut' : 'called off';
  }
}

function responseTo(sending: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sending.once('response', resolve);
    sending.on('error', reject);
  });
}

function heardIn(text: string, times: Pick<Heard, 'firstWordMs' | 'durableMs'>): Heard | string {
  const events = [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as WidgetEvent);
  const last = events.at(-1);
  if (last?.type === 'error') return last.code;
  if (last?.type !== 'done') return 'cut';
  const answer = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { answer, done: last, ...times };
}

type WidgetEvent =
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'done' } & Heard['done'])
  | { readonly type: 'error'; readonly code: string };

/**
 * Holds what visitors were told against what their customers have, by site: every acknowledged answer is there whole and
 * once, and nothing is where it does not belong. Messages that were called off may be there or not.
 */
export function faultsOf(
  { sites, name }: Pick<CrowdOptions, 'sites' | 'name'>,
  { acknowledged, sent }: Pick<CrowdResult, 'acknowledged' | 'sent'>,
  kept: ReadonlyMap<string, readonly KeptConversation[]>,
): Fault[] {
  const faults: Fault[] = [];
  const known = new Set(sent);
  const byMark = new Map<string, Placed>();
  for (const placed of placesIn(kept).filter(({ crowd }) => crowd === name)) {
    const { mark, visitor, site, answer } = placed;
    const isHis = known.has(mark) && sites[visitor % sites.length] === site && placed.isAmongHisOwn;
    if (!isHis || byMark.has(mark) || !isAnswerTo(mark, answer)) faults.push({ kind: 'crossed', mark });
    if (!placed.isInOrder) faults.push({ kind: 'torn', mark });
    byMark.set(mark, placed);
  }
  for (const told of acknowledged) {
    const { mark, answer } = told;
    const placed = byMark.get(mark);
    if (placed === undefined) faults.push({ kind: 'lost', mark });
    else if (placed.answer !== answer || !isSamePlace(placed, told)) faults.push({ kind: 'torn', mark });
    if (!isAnswerTo(mark, answer)) faults.push({ kind: 'crossed', mark });
  }
  return faults;
}

interface Placed extends Acknowledged {
  readonly crowd: string;
  readonly visitor: number;
  /** Whether its conversation holds no other visitor's message. */
  readonly isAmongHisOwn: boolean;
  /** Whether its conversation is counted right and numbered without a gap. */
  readonly isInOrder: boolean;
}

function placesIn(kept: ReadonlyMap<string, readonly KeptConversation[]>): Placed[] {
  return [...kept].flatMap(([site, conversations]) =>
    conversations.flatMap(({ reference, messages, entries }) => {
      const isInOrder = messages === entries.length && entries.every(({ number }, at) => number === at + 1);
      const marks = entries.map(({ question }) => MARK.exec(question) ?? []);
      const isAmongHisOwn = new Set(marks.map(([, crowd, visitor]) => `${crowd} ${visitor}`)).size === 1;
      return entries.map(({ number, answer }, at) => {
        const [mark = '', crowd = '', visitor] = marks[at] ?? [];
        return {
          site,
          reference,
          number,
          answer,
          mark,
          crowd,
          visitor: Number(visitor),
          isAmongHisOwn,
          isInOrder,
        };
      });
    }),
  );
}

function isSamePlace(one: Acknowledged, other: Acknowledged): boolean {
  return one.site === other.site && one.reference === other.reference && one.number === other.number;
}

/** Answers that no model gave carry no mark. */
function isAnswerTo(mark: string, answer: string): boolean {
  return [...answer.matchAll(new RegExp(MARK, 'g'))].every(([found]) => found === mark);
}
