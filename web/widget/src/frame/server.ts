import type {
  WidgetEvent,
  WidgetFeedback,
  WidgetHandOver,
  WidgetMessage,
} from '../../../../contract/aimee-widget.ts';
import { settings, texts } from './settings.ts';

/** Told to the visitor as it is, in the language of the widget. */
export class Failure extends Error {}

export type Done = Extract<WidgetEvent, { type: 'done' }>;
type Body<T> = Omit<T, 'site' | 'origin'>;

const EVENT_LENGTH_MAX = 200_000;
const WAIT_SHOWN_MAX_SECONDS = 120;

/**
 * The only requests of the widget, each for something that the visitor pressed. The origin is what the browser says of
 * the page around the frame, which the page cannot change; where browsers say nothing, the page does.
 */
async function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(settings.api + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      site: settings.site,
      origin: location.ancestorOrigins?.[0] ?? settings.page,
      ...body,
    }),
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    cache: 'no-store',
    redirect: 'error',
    signal: signal ?? null,
  }).catch(() => {
    throw new Failure(texts.offline);
  });
  if (response.ok) return response;
  const problem: unknown = await response.json().catch(() => null);
  throw refusal(response.status, (problem as { retryAfter?: unknown } | null)?.retryAfter);
}

function refusal(status: number, wait: unknown): Failure {
  if (status === 413) return new Failure(texts.tooLong);
  if (status !== 429 && wait === undefined) return new Failure(texts.failed);
  const seconds = typeof wait === 'number' && wait <= WAIT_SHOWN_MAX_SECONDS ? ` (${wait} s)` : '';
  return new Failure(texts.busy + seconds);
}

/** Streams the answer into `onText`; resolves with what came at its end. Rejects with `Failure`. */
export async function ask(
  message: Body<WidgetMessage>,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<Done> {
  const { body } = await post('messages', message, signal);
  for await (const event of eventsOf(body)) {
    if (event.type === 'text') onText(String(event.text));
    else if (event.type === 'error') throw refusal(0, event.retryAfter);
    else if (typeof event.ticket === 'string') return event;
  }
  throw new Failure(texts.cut);
}

export async function rate(feedback: Body<WidgetFeedback>): Promise<void> {
  await post('feedback', feedback);
}

export async function handOver(request: Body<WidgetHandOver>): Promise<void> {
  await post('hand-over', request);
}

async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): AsyncGenerator<WidgetEvent> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const chunk = await reader?.read().catch(() => undefined);
    if (chunk?.value === undefined) return;
    const lines = (rest + chunk.value).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > EVENT_LENGTH_MAX) return;
    // One event is one line: what JSON.stringify writes holds no line feed.
    for (const line of lines) {
      const event = line.startsWith('data:') ? parse(line.slice(5)) : undefined;
      if (event !== undefined) yield event;
    }
  }
}

function parse(json: string): WidgetEvent | undefined {
  try {
    const value = JSON.parse(json) as WidgetEvent | null;
    return value ?? undefined;
  } catch {
    return undefined;
  }
}
