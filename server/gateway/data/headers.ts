/**
 * Which header fields cross the gateway. Everything passes as it came, in order and spelling, but for what
 * belongs to one hop (RFC 9110, 7.6.1) and for the caller's credentials, which a function must never see.
 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // The gateway itself answers with 100 Continue.
  'expect',
];
const CREDENTIALS = ['jfwt', 'p48wt', 'x-jf-apikey', 'x-p48-apikey'];
/** Written by a proxy in front: they name the caller's address, which a function of somebody else must not learn. */
const PROXY_TRACES = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'];

const REQUEST_DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...CREDENTIALS]);
const REQUEST_DROPPED_BEHIND_PROXY: ReadonlySet<string> = new Set([...REQUEST_DROPPED, ...PROXY_TRACES]);
const RESPONSE_DROPPED: ReadonlySet<string> = new Set(HOP_BY_HOP);

/**
 * `raw`: name, value, name, value as received. Undefined for a request with two Host fields, which our parser
 * lets through and two servers may read as two different requests (RFC 9112, 3.2).
 */
export function requestHeaders(raw: readonly string[], isBehindProxy: boolean): string[] | undefined {
  const headers = pass(raw, isBehindProxy ? REQUEST_DROPPED_BEHIND_PROXY : REQUEST_DROPPED);
  let hosts = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.length === 4 && headers[i]?.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1 ? undefined : headers;
}

export function responseHeaders(raw: readonly string[], isCorsOurs: boolean): string[] {
  const headers = pass(raw, RESPONSE_DROPPED);
  return isCorsOurs ? without(headers, (name) => name.startsWith('access-control-')) : headers;
}

function pass(raw: readonly string[], dropped: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  let nominated: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'connection') nominated = nominate(value, nominated);
    else if (lower === 'cookie') kept.push(...withoutOurs(name, value));
    else if (lower === 'set-cookie' && OURS.test(value)) continue;
    else if (!dropped.has(lower) && !lower.startsWith('proxy-')) kept.push(name, value);
  }
  return nominated === undefined ? kept : without(kept, (name) => nominated.has(name));
}

/** Cookies that the platform keeps in browsers. */
const OURS = /__(?:host|secure)-jellyfaas/i;

/**
 * The portal calls functions from its own pages, where browsers send its session along: no function may learn it, and none
 * may put another in its place.
 */
function withoutOurs(name: string, value: string): string[] {
  if (!OURS.test(value)) return [name, value];
  const others = value.split(';').filter((pair) => !OURS.test(pair));
  return others.length === 0 ? [] : [name, others.join(';').trim()];
}

/** Fields that a Connection header declares to be for this hop only; nearly always none. */
function nominate(value: string, before: Set<string> | undefined): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return before;
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  return new Set([...(before ?? []), ...names]);
}

function without(headers: readonly string[], isDropped: (lowerName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!isDropped(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
