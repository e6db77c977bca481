import { type Dispatcher, fetch as undiciFetch, Headers, Response } from 'undici';
import { atMost } from '../kernel/at-most.ts';
import type { Secret } from '../kernel/secret.ts';
import { ProviderFlood, ProviderStatus } from './provider-errors.ts';

export interface ProviderFetchOptions {
  readonly baseUrl: string;
  /** Where the key goes; the provider packages never see it, so none of their errors can hold it. */
  readonly key: { readonly header: string; readonly prefix: string; readonly value: Secret } | undefined;
  readonly agent: Dispatcher;
  readonly answerBytesMax: number;
}

/**
 * The only way to a provider: to its base URL and nowhere else, no redirects, bounded answers. Whatever is not a
 * success is thrown as a status alone, because bodies of errors repeat prompts.
 */
export function createProviderFetch({
  baseUrl,
  key,
  agent,
  answerBytesMax,
}: ProviderFetchOptions): typeof globalThis.fetch {
  const guarded: typeof undiciFetch = async (input, init) => {
    const url = typeof input === 'string' ? input : '';
    if (!url.startsWith(`${baseUrl}/`)) throw new Error('a provider package asked for another address');
    const headers = new Headers(init?.headers);
    if (key !== undefined) headers.set(key.header, key.prefix + key.value.reveal());
    const response = await undiciFetch(url, {
      ...init,
      headers,
      redirect: 'manual',
      dispatcher: agent,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new ProviderStatus(response.status, retryAfterSeconds(response.headers.get('retry-after')));
    }
    return new Response(
      response.body?.pipeThrough(atMost(answerBytesMax, () => new ProviderFlood())) ?? null,
      {
        status: response.status,
        headers: response.headers,
      },
    );
  };
  // undici's fetch is the global one with a choice of dispatcher; only the names of their types differ.
  return guarded as unknown as typeof globalThis.fetch;
}

/** Seconds or a date (RFC 9110); undefined when it is neither. */
function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d{1,6}$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}
