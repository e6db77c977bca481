import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { AimeeSite, AimeeSiteForm, AimeeSites } from '../../../../../contract/aimee.ts';
import { request } from '../../api.ts';
import { utcDay } from '../../ui/format.ts';

export const AIMEE_API = '/api/v1/aimee';
const SITES = `${AIMEE_API}/sites`;
const SITES_KEY = ['aimee', 'sites'];

export function siteApi(siteId: string, rest = ''): string {
  return `${SITES}/${encodeURIComponent(siteId)}${rest}`;
}

/** `?a=1&b=2` of what is there; empty values are left out. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

export function useSites(): UseQueryResult<AimeeSites> {
  return useQuery({
    queryKey: SITES_KEY,
    queryFn: ({ signal }) => request<AimeeSites>(SITES, { signal }),
  });
}

/** Everything that was read of one site lies below this key. */
export function siteKey(siteId: string, ...rest: readonly unknown[]): readonly unknown[] {
  return ['aimee', 'site', siteId, ...rest];
}

export async function createSite(form: Pick<AimeeSiteForm, 'name' | 'allowedOrigins'>): Promise<AimeeSite> {
  return await request<AimeeSite>(SITES, { method: 'POST', body: form });
}

export async function saveSite(siteId: string, form: AimeeSiteForm): Promise<AimeeSite> {
  return await request<AimeeSite>(siteApi(siteId), { method: 'PUT', body: form });
}

/** What an update sends: all settings, nothing else. */
export function formOf({ id: _id, createdAt: _createdAt, ...form }: AimeeSite): AimeeSiteForm {
  return form;
}

/** Takes over what the server answered; the snippet follows the settings. */
export function keepSite(client: QueryClient, saved: AimeeSite): void {
  client.setQueryData<AimeeSites>(
    SITES_KEY,
    (known) =>
      known && {
        ...known,
        sites: known.sites.some(({ id }) => id === saved.id)
          ? known.sites.map((site) => (site.id === saved.id ? saved : site))
          : [...known.sites, saved],
      },
  );
  void client.invalidateQueries({ queryKey: siteKey(saved.id, 'snippet') });
}

export function forgetSite(client: QueryClient, siteId: string): void {
  client.setQueryData<AimeeSites>(
    SITES_KEY,
    (known) => known && { ...known, sites: known.sites.filter(({ id }) => id !== siteId) },
  );
  client.removeQueries({ queryKey: siteKey(siteId) });
}

/** What was purged must not stay on the page: whatever was read of conversations is dropped and asked for again. */
export async function forgetConversations(client: QueryClient, siteId: string): Promise<void> {
  client.removeQueries({ queryKey: siteKey(siteId, 'conversation') });
  await client.resetQueries({ queryKey: siteKey(siteId, 'conversations') });
  await client.resetQueries({ queryKey: siteKey(siteId, 'unanswered') });
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function daysAgo(days: number): string {
  return utcDay(new Date(Date.now() - days * DAY_MS));
}

/** Every day of a span, both ends with it. */
export function daysBetween(from: string, to: string): string[] {
  const days = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS) days.push(utcDay(new Date(at)));
  return days;
}
