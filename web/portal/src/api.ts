import type { Problem } from '../../../contract/errors.ts';

/** What the server refused or failed to do; `detail` is written for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: readonly { readonly pointer: string; readonly message: string }[];

  constructor({ status, code, detail, errors }: Pick<Problem, 'status' | 'code' | 'detail' | 'errors'>) {
    super(detail);
    this.status = status;
    this.code = code;
    this.faults = errors ?? [];
  }
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | undefined;
  /** Sent as JSON; a `FormData` or `Blob` as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** One request of the portal under its session. Rejects with `ApiError`. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, headers, signal } = options;
  const isRaw = body instanceof FormData || body instanceof Blob;
  const response = await fetch(path, {
    method,
    headers: {
      'x-jellyfaas-portal': '1',
      ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
    credentials: 'same-origin',
    cache: 'no-store',
  }).catch((thrown: unknown) => {
    if (signal?.aborted === true) throw thrown;
    throw new ApiError({ status: 0, code: 'portal.offline', detail: 'The server cannot be reached.' });
  });
  if (response.ok) return response;
  throw new ApiError(await problemOf(response));
}

/** The JSON answer; undefined for an empty one. `T` is the contract's type of the route. */
export async function request<T>(path: string, options?: RequestOptions): Promise<T> {
  const response = await send(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function problemOf(
  response: Response,
): Promise<Pick<Problem, 'status' | 'code' | 'detail' | 'errors'>> {
  const { status } = response;
  const body = (await response.json().catch(() => ({}))) as Partial<Problem> & {
    errorId?: string;
    errorMessage?: string;
  };
  return {
    status,
    code: body.code ?? body.errorId ?? 'portal.unreadable',
    detail: body.detail ?? body.errorMessage ?? `The server answered ${status}.`,
    errors: body.errors,
  };
}
