import { send } from './control.ts';
import { received } from './error.ts';
import { answerEvents } from './event-stream.ts';
import type { FunctionName } from './functions.ts';
import { QUESTIONS_ID } from './sealed/binding.ts';
import type { Session } from './session.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface AskOptions {
  /** Functions that the model may call, or `library` for any of your own; none unless given. */
  readonly functions?: readonly FunctionName[] | 'library';
  /** Outside MCP servers of the account whose approved tools the model may call, too. */
  readonly sources?: readonly string[];
  /** Earlier turns; the platform remembers none. */
  readonly history?: readonly Message[];
  /** One of the installation's models; the account's choice unless given. */
  readonly platform?: string;
  /** JSON Schema: the answer is JSON text of it. */
  readonly responseSchema?: object;
  /** Tell which functions were called with what, in the answer and while it streams. */
  readonly trace?: boolean;
  /**
   * Seals the question and its answer between here and a sandbox of your own, which asks the model itself and calls
   * functions sealed: the platform's own gateway reads nothing of either. Outside MCP servers cannot be asked so.
   */
  readonly sealed?: boolean | undefined;
  readonly signal?: AbortSignal;
}

export type ToolEvent =
  | {
      readonly type: 'tool-call';
      readonly id: string;
      readonly function: string;
      /** The outside MCP server that got the arguments; absent for functions. */
      readonly source?: string;
      readonly arguments: unknown;
    }
  | {
      readonly type: 'tool-result';
      readonly id: string;
      readonly ok: boolean;
      /** The function's HTTP status; null when it did not answer, and for tools of outside servers. */
      readonly status: number | null;
      readonly result: string;
    }
  /** A call that the model made wrongly and that was not run. */
  | {
      readonly type: 'tool-refused';
      readonly id: string;
      readonly function: string;
      readonly reason: string;
    }
  /** Tools of outside servers that are not approved as they are now, and were not offered. */
  | {
      readonly type: 'tools-withheld';
      readonly tools: readonly {
        readonly source: string;
        readonly tool: string;
        readonly reason: 'changed' | 'new' | 'unusable';
      }[];
    };

export interface Answer {
  /** Markdown, or JSON text under `responseSchema`. */
  readonly answer: string;
  /** `complete`, or why it ended early. */
  readonly finish: 'complete' | 'length' | 'step-limit' | 'filtered';
  readonly platform: string;
  readonly model: string;
  /** What the model's provider keeps. */
  readonly retention: 'none' | 'provider';
  readonly trace?: readonly ToolEvent[];
}

/** What is heard while a question is answered; the last one is `answer`. */
export type AskEvent =
  | { readonly type: 'text'; readonly text: string }
  | ToolEvent
  | ({ readonly type: 'answer' } & Answer);

export async function ask(session: Session, question: string, options: AskOptions): Promise<Answer> {
  const response = await post(session, question, { ...options, accept: 'application/json' });
  return (await received(response.json(), options.signal)) as Answer;
}

/** Asks when iteration begins; leaving the loop cancels the question. */
export async function* askStreaming(
  session: Session,
  question: string,
  options: AskOptions,
): AsyncGenerator<AskEvent, void> {
  const response = await post(session, question, { ...options, accept: 'text/event-stream' });
  yield* answerEvents<AskEvent>(response, options.signal);
}

async function post(
  session: Session,
  question: string,
  { accept, signal, history, sealed, ...rest }: AskOptions & { readonly accept: string },
): Promise<Response> {
  const asked = history === undefined ? { question } : { messages: [...history, userMessage(question)] };
  return await send(session, '/api/v1/ai/query', {
    method: 'POST',
    headers: { accept, 'content-type': 'application/json' },
    body: JSON.stringify({ ...asked, ...rest }),
    signal,
    sealedTo: sealed === true ? QUESTIONS_ID : undefined,
  });
}

function userMessage(content: string): Message {
  return { role: 'user', content };
}
