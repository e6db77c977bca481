import { PlatformError, causesOf } from '../kernel/errors.ts';

/**
 * What went wrong with a provider, in our own words: errors of the provider packages hold prompt, answer, URL and
 * headers, so nothing of them is passed on, not even as a cause.
 */
export interface ProviderFailure {
  readonly error: PlatformError;
  /** Trying again may help. */
  readonly isTransient: boolean;
  /** The request itself was refused, as servers do that do not know a response format. */
  readonly isRefusal: boolean;
  /** Seconds to wait before, if the provider said so. */
  readonly askedSeconds?: number | undefined;
}

/** A status that is no answer. Holds nothing of the body. */
export class ProviderStatus extends Error {
  readonly status: number;
  /** Seconds, as the provider asks in `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, retryAfterSeconds: number | undefined) {
    super('status');
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A time limit of ours has passed. */
export class ProviderSilence extends Error {}

/** The answer is larger than anything that makes sense. */
export class ProviderFlood extends Error {}

/** Codes of connections that never came to be; one that is lost later is a broken answer. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What went wrong with a provider, and nothing of what it said. */
export type ProviderFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: 'silent' | 'flooded' | 'broken' }
  /** The reason is a code of the system's, or ours. */
  | { readonly kind: 'unreachable' | 'untrusted'; readonly reason: string };

/** The one boundary: whatever is thrown below it leaves as one of these. */
export function providerFault(thrown: unknown): ProviderFault {
  const chain = causesOf(thrown);
  const status = chain.find((error) => error instanceof ProviderStatus);
  if (status !== undefined) {
    return { kind: 'status', status: status.status, retryAfterSeconds: status.retryAfterSeconds };
  }
  if (chain.some((error) => error instanceof ProviderSilence)) return { kind: 'silent' };
  if (chain.some((error) => error instanceof ProviderFlood)) return { kind: 'flooded' };
  const code = chain.map(codeOf).find((found) => found !== undefined && CONNECTION_CODES.has(found));
  if (code !== undefined) return { kind: 'unreachable', reason: code };
  if (chain.some((error) => /CERT|VERIFY|TLS|SSL/.test(codeOf(error) ?? ''))) {
    return { kind: 'untrusted', reason: 'its certificate cannot be trusted' };
  }
  return { kind: 'broken' };
}

/** Whether trying again may help. */
export function isTransient(fault: ProviderFault): boolean {
  if (fault.kind === 'status') return fault.status === 408 || fault.status === 429 || fault.status >= 500;
  return fault.kind !== 'flooded' && fault.kind !== 'untrusted';
}

/** The fault of a chat model's provider as one of the `models.*` errors. */
export function providerFailure(platform: string, thrown: unknown): ProviderFailure {
  const fault = providerFault(thrown);
  const isStatus = fault.kind === 'status';
  return {
    error: errorOf(platform, fault),
    isTransient: isTransient(fault),
    isRefusal: isStatus && (fault.status === 400 || fault.status === 422),
    askedSeconds: isStatus && isTransient(fault) ? fault.retryAfterSeconds : undefined,
  };
}

function errorOf(platform: string, fault: ProviderFault): PlatformError {
  switch (fault.kind) {
    case 'status':
      return statusError(platform, fault.status, fault.retryAfterSeconds);
    case 'silent':
      return silent(platform);
    case 'flooded':
      return flooded(platform);
    case 'unreachable':
    case 'untrusted':
      return unreachable(platform, fault.reason);
    case 'broken':
      return broken(platform);
  }
}

export function cancelled(): PlatformError {
  return new PlatformError({
    kind: 'cancelled',
    code: 'models.cancelled',
    message: 'The request ended before the model had answered.',
  });
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function statusError(platform: string, status: number, retryAfterSeconds: number | undefined): PlatformError {
  if (status === 429) return rateLimited(platform, retryAfterSeconds);
  if (status === 408 || status >= 500) return failed(platform, status, retryAfterSeconds);
  if (status === 401 || status === 403) return refusedKey(platform, status);
  if (status === 404) return unknownModel(platform);
  if (status < 400) return redirected(platform);
  return refused(platform, status);
}

function rateLimited(platform: string, retryAfterSeconds: number | undefined): PlatformError {
  return new PlatformError({
    kind: 'resource_exhausted',
    code: 'models.rate_limited',
    owner: 'provider',
    message: `The provider of the model platform "${platform}" takes no more requests for now. Try again later, or choose another platform.`,
    retryAfterSeconds: retryAfterSeconds ?? 10,
  });
}

function failed(platform: string, status: number, retryAfterSeconds: number | undefined): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.provider_failed',
    owner: 'provider',
    message: `The provider of the model platform "${platform}" failed (status ${status}). Try again, or choose another platform.`,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

function refused(platform: string, status: number): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.provider_refused',
    owner: 'provider',
    message:
      `The provider of the model platform "${platform}" refused the request (status ${status}). ` +
      'The text may be too long for the model, or the model may not support functions or this response schema.',
  });
}

/** Owned by the platform, because nobody but the operator can repair it; so it is in his log. */
function refusedKey(platform: string, status: number): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.refused_key',
    owner: 'platform',
    message: `The provider of the model platform "${platform}" refused this installation's key (status ${status}). The operator has to set a valid one.`,
  });
}

function unknownModel(platform: string): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.unknown_model',
    owner: 'platform',
    message: `The provider of the model platform "${platform}" does not know the configured model (status 404). The operator has to correct the model's name or its base URL.`,
  });
}

function redirected(platform: string): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.redirect_refused',
    owner: 'platform',
    message: `The provider of the model platform "${platform}" redirects to another address, which is never followed. The operator has to configure the final base URL.`,
  });
}

function silent(platform: string): PlatformError {
  return new PlatformError({
    kind: 'deadline_exceeded',
    code: 'models.timeout',
    owner: 'provider',
    message: `The model platform "${platform}" did not answer in time. Try again, ask for less, or choose another platform.`,
  });
}

function flooded(platform: string): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.answer_too_large',
    owner: 'provider',
    message: `The answer of the model platform "${platform}" was larger than allowed and was cut off. Ask for less.`,
  });
}

function unreachable(platform: string, reason: string): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.unreachable',
    owner: 'provider',
    message: `The model platform "${platform}" cannot be reached (${reason}). Try again; the operator can check its base URL and the network.`,
  });
}

function broken(platform: string): PlatformError {
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'models.broken_answer',
    owner: 'provider',
    message: `The answer of the model platform "${platform}" broke off or cannot be read. Try again, or choose another platform.`,
  });
}
