export interface ErrorDetails {
  /** Stable code: the server's (`auth.invalid_token`, …) or one of our own (`sdk.…`). */
  readonly errorId: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status?: number;
  readonly body?: string | undefined;
  readonly cause?: unknown;
}

/** The one error of this package; aborted requests reject with the signal's own reason instead. */
export class JellyFaaSError extends Error {
  readonly errorId: string;
  readonly status: number;
  readonly #body: string | undefined;

  constructor(message: string, { errorId, status = 0, body, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'JellyFaaSError';
    this.errorId = errorId;
    this.status = status;
    this.#body = body;
  }

  /** What was answered, at most 64 KiB; out of sight of loggers that print errors whole. */
  get body(): string | undefined {
    return this.#body;
  }
}

const BODY_LENGTH_MAX = 64 * 1024;

interface ErrorBody {
  readonly errorId?: string;
  readonly errorMessage?: string;
  readonly code?: string;
  readonly detail?: string;
}

/** The error that a failed answer means; both error shapes of the server are understood. */
export async function failedAnswer(response: Response): Promise<JellyFaaSError> {
  const { status } = response;
  const body = await readBounded(response);
  return errorFrom(parse(body), { status, body });
}

/** The error that a parsed error body means. */
export function errorFrom(
  parsed: unknown,
  { status, body }: { status: number; body?: string },
): JellyFaaSError {
  const { errorId, errorMessage, code, detail } = (
    typeof parsed === 'object' && parsed !== null ? parsed : {}
  ) as ErrorBody;
  const message = errorMessage ?? detail ?? `The server answered with status ${status}.`;
  return new JellyFaaSError(message, { errorId: errorId ?? code ?? `http.${status}`, status, body });
}

/** Waits for a part of an answer; one that breaks off is an error of ours, one that is aborted is not. */
export async function received<T>(part: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await part;
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof JellyFaaSError) throw cause;
    throw new JellyFaaSError('The answer broke off before its end.', { errorId: 'sdk.answer_cut', cause });
  }
}

async function readBounded(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    while (text.length < BODY_LENGTH_MAX) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // An error body that is cut short still tells its status.
  }
  void reader.cancel().catch(() => undefined);
  return text.slice(0, BODY_LENGTH_MAX);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
