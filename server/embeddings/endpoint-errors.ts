import { PlatformError } from '../kernel/errors.ts';
import type { ProviderFault } from '../models/provider-errors.ts';

/** What went wrong with an endpoint, in our own words: nothing of what it said is passed on. */
export function endpointError(platform: string, fault: ProviderFault): PlatformError {
  const endpoint = `embedding endpoint of the platform "${platform}"`;
  switch (fault.kind) {
    case 'status':
      return statusError(endpoint, fault.status, fault.retryAfterSeconds);
    case 'silent':
      return new PlatformError({
        kind: 'deadline_exceeded',
        code: 'embeddings.timeout',
        owner: 'provider',
        message: `The ${endpoint} did not answer in time. Try again, with fewer texts.`,
      });
    case 'unreachable':
    case 'untrusted':
      return new PlatformError({
        kind: 'bad_gateway',
        code: 'embeddings.unreachable',
        owner: 'provider',
        message: `The ${endpoint} cannot be reached (${fault.reason}). Try again; the operator can check its base URL and the network.`,
      });
    case 'flooded':
    case 'broken':
      return new PlatformError({
        kind: 'bad_gateway',
        code: 'embeddings.broken_answer',
        owner: 'provider',
        message: `The ${endpoint} did not answer with one vector of the same length for each text. Try again; the operator can check that its model makes embeddings.`,
      });
  }
}

function statusError(endpoint: string, status: number, retryAfterSeconds: number | undefined): PlatformError {
  if (status === 429) {
    return new PlatformError({
      kind: 'resource_exhausted',
      code: 'embeddings.rate_limited',
      owner: 'provider',
      message: `The ${endpoint} takes no more requests for now. Try again later.`,
      retryAfterSeconds: retryAfterSeconds ?? 10,
    });
  }
  if (status === 408 || status >= 500) {
    return new PlatformError({
      kind: 'bad_gateway',
      code: 'embeddings.endpoint_failed',
      owner: 'provider',
      message: `The ${endpoint} failed (status ${status}). Try again.`,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  if (status === 400 || status === 413 || status === 422) {
    return new PlatformError({
      kind: 'bad_gateway',
      code: 'embeddings.endpoint_refused',
      owner: 'provider',
      message: `The ${endpoint} refused the texts (status ${status}). They may be too long for its model.`,
    });
  }
  // Owned by the platform, because nobody but the operator can repair it; so it is in his log.
  return new PlatformError({
    kind: 'bad_gateway',
    code: 'embeddings.endpoint_misconfigured',
    owner: 'platform',
    message: `The ${endpoint} does not serve this installation (status ${status}). The operator has to correct its key, its base URL or the name of its model.`,
  });
}
