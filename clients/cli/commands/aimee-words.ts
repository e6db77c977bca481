import type { AimeeSite, AimeeSites, Api } from '../api.ts';
import { usageError } from '../failure.ts';

export const AIMEE = '/api/v1/aimee';

export function sitePath(id: string, rest = ''): string {
  return `${AIMEE}/sites/${encodeURIComponent(id)}${rest}`;
}

/** By id, or by a name that only one site has. */
export async function findSite(api: Api, word: string): Promise<AimeeSite> {
  const { sites } = await api.get<AimeeSites>(`${AIMEE}/sites`);
  const found = sites.filter(({ id, name }) => id === word || name === word);
  const [site, other] = found;
  if (site === undefined) throw usageError(`You have no site "${word}". "jellyfaas aimee sites" lists them.`);
  if (other !== undefined) throw usageError(`More than one site is called "${word}": name it by its id.`);
  return site;
}

/** `from` and `to` as the server takes them, where they are given. */
export function daysQuery({ from, to }: { readonly from?: string; readonly to?: string }): string {
  return new URLSearchParams({
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  }).toString();
}
