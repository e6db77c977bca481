import type { BrowserItem, ConversationReader, Peer, Place } from '../../server/privacy/places.ts';
import { type Source, importsOf } from './sources.ts';

/** Differences between what modules do and what is declared of them; each a line for whoever has to decide. */

const WRITERS =
  /^(\*|writeFile|appendFile|createWriteStream|mkdtemp|mkdtempDisposable|open|openAsBlob|copyFile|cp|mkdir|write|writev|symlink|link)(Sync)?$/;

/** Makes files, or opens them in a way in which it could; databases do too. */
export function isWriter(source: Source): boolean {
  return importsOf(source).some(({ from, names }) => {
    if (/^(node:)?fs(\/promises)?$/.test(from)) return names.some((name) => WRITERS.test(name));
    return /^(node:)?sqlite$|sqlite/.test(from) && !from.startsWith('.') && !from.startsWith('kysely');
  });
}

const DIALLERS: readonly [from: RegExp, names: RegExp][] = [
  [/^(node:)?(net|tls)$/, /^(\*|connect|createConnection|Socket|TLSSocket)$/],
  [/^(node:)?https?$/, /^(\*|request|get|Agent|globalAgent)$/],
  [/^(node:)?(http2|dgram|dns|dns\/promises)$/, /./],
  [/^(undici|nodemailer|mysql2|pg|ws|openid-client|eventsource)(\/|$)/, /./],
  [/^@ai-sdk\//, /./],
  [/^@aws-sdk\//, /./],
  [/^@modelcontextprotocol\/client$/, /./],
  [/^jose$/, /^(\*|createRemoteJWKSet)$/],
];

/** Opens connections, or hands somebody what does. */
export function isDialler(source: Source): boolean {
  const imported = importsOf(source).some(({ from, names }) =>
    DIALLERS.some(([module, name]) => module.test(from) && names.some((one) => name.test(one))),
  );
  return imported || GLOBALS.test(source.text);
}

/** As functions, or as values that others are given. */
const GLOBALS =
  /(?<![.\w#'`-])fetch\(|(?:\?\?|[:=,(])\s*(?:globalThis\.)?fetch\s*[,;)]|new (?:WebSocket|EventSource|XMLHttpRequest)\b|sendBeacon/;

export function undeclaredWriters(sources: readonly Source[], places: readonly Place[]): string[] {
  const server = sources.filter(({ path }) => !path.startsWith('web/'));
  return differences(
    server.filter(isWriter).map(({ path }) => path),
    places.flatMap(({ modules }) => modules),
    'opens files for writing',
  );
}

export function undeclaredDiallers(
  sources: readonly Source[],
  peers: readonly Peer[],
  exceptions: readonly string[],
): string[] {
  const server = sources.filter(({ path }) => !path.startsWith('web/'));
  return differences(
    server.filter(isDialler).map(({ path }) => path),
    [...peers.flatMap(({ modules }) => modules), ...exceptions],
    'opens connections',
  );
}

const OPENING =
  /\b(?:openEntry|openContent|openHalf|joinHalves|ConversationReader\.of|new ConversationReader)\(/;

/** Modules that have keys of conversations, or what opens with them. */
export function undeclaredReaders(
  sources: readonly Source[],
  readers: readonly ConversationReader[],
): string[] {
  return differences(
    sources.filter(({ text }) => OPENING.test(text)).map(({ path }) => path),
    readers.flatMap(({ modules }) => modules),
    'opens conversations',
  );
}

const COOKIE_NAME = /__(?:Host|Secure)-[a-z-]*[a-z]/g;
const STORAGE =
  /\b(?:localStorage|sessionStorage|indexedDB|cookieStore|serviceWorker)\b|\bdocument\.cookie\b|\bcaches\.(?:open|match)\b/;

/** Cookies that the server sets, by module and by name, and what pages keep in browsers. */
export function undeclaredBrowserItems(
  sources: readonly Source[],
  items: readonly BrowserItem[],
  filters: readonly string[],
): string[] {
  const server = sources.filter(
    ({ path }) => path.startsWith('server/') && !path.startsWith('server/privacy/'),
  );
  const pages = sources.filter(({ path }) => path.startsWith('web/'));
  const cookies = items.filter(({ kind }) => kind === 'cookie');
  const stored = items.filter(({ kind }) => kind === 'local storage');
  const setters = server.filter(({ text }) => /['"]set-cookie['"]|setCookie\(/i.test(text));
  const names = server.flatMap(({ text }) => [...text.matchAll(COOKIE_NAME)].map(([name]) => name));
  return [
    ...differences(
      setters.map(({ path }) => path),
      [...cookies.flatMap(({ modules }) => modules), ...filters],
      'handles Set-Cookie',
    ),
    ...differences(
      names,
      cookies.map(({ name }) => name),
      'is a cookie',
    ),
    ...differences(
      pages.filter(({ text }) => STORAGE.test(text)).map(({ path }) => path),
      stored.flatMap(({ modules }) => modules),
      'keeps something in the browser',
    ),
  ];
}

function differences(found: readonly string[], declared: readonly string[], does: string): string[] {
  const known = new Set(declared);
  const there = new Set(found);
  return [
    ...[...there].filter((one) => !known.has(one)).map((one) => `${one} ${does}, and that is not declared`),
    ...[...known].filter((one) => !there.has(one)).map((one) => `${one} is declared, and no longer ${does}`),
  ];
}
