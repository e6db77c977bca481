import { WidgetEvent } from '../contract/index.ts';

/** What a widget would send and hear. */
export interface Saying {
  readonly site: string;
  readonly text: string;
  readonly origin?: string;
  readonly ticket?: string;
  readonly turns?: readonly { role: 'visitor' | 'assistant'; text: string }[];
  readonly language?: string;
}

export type Done = Extract<WidgetEvent, { type: 'done' }>;

export interface Heard {
  readonly status: number;
  /** All texts together. */
  readonly text: string;
  readonly done: Done | undefined;
  readonly error: string | undefined;
  readonly headers: Headers;
}

export function send(url: string, path: string, body: object, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/aimee/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'null' },
    body: JSON.stringify(body),
    ...init,
  });
}

/** Sends a message and reads its answer to the end. */
export async function say(url: string, saying: Saying): Promise<Heard> {
  const response = await send(url, 'messages', saying);
  const { status, headers } = response;
  const text = await response.text();
  if (status !== 200) {
    const { code } = JSON.parse(text) as { code: string };
    return { status, text: '', done: undefined, error: code, headers };
  }
  const events = [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) =>
    WidgetEvent.parse(JSON.parse(data)),
  );
  const last = events.at(-1);
  return {
    status,
    headers,
    text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    done: last?.type === 'done' ? last : undefined,
    error: last?.type === 'error' ? last.code : undefined,
  };
}

/** Says something that has to be answered. */
export async function chat(url: string, saying: Saying): Promise<Heard & { readonly done: Done }> {
  const heard = await say(url, saying);
  if (heard.done === undefined) throw new Error(`no answer: ${heard.status} ${heard.error ?? ''}`);
  return { ...heard, done: heard.done };
}
