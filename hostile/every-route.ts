import { openApiDocument } from '../contract/index.ts';

/** Every route of the platform, as its contract lists them: a new one is attacked without anybody thinking of it. */
export interface Route {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  /** Media type of the body; undefined without one. */
  readonly media: string | undefined;
  /** Anybody may ask without a credential. */
  readonly isOpen: boolean;
  /** Tokens for functions count, too. */
  readonly takesToken: boolean;
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly security: readonly object[];
}

const { paths } = openApiDocument('http://localhost', '0') as {
  paths: Record<string, Record<string, Operation>>;
};

export const ROUTES: readonly Route[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId, requestBody, security }]) => ({
    path,
    method: method.toUpperCase(),
    operationId,
    media: Object.keys(requestBody?.content ?? {}).at(-1),
    isOpen: security.length === 0,
    takesToken: security.some((way) => 'jfwt' in way),
  })),
);

/** Those that name what they are about: its id is part of their path. */
export const NAMING = ROUTES.filter(({ path }) => path.replace('{purpose}', '').includes('{'));

/** Values for the parameters of a path. */
export type Names = (path: string) => Readonly<Record<string, string>>;

/** Well formed, and nobody's. */
export const NOBODY: Names = (path) => ({
  siteId: 'site_00000000000000000000',
  conversationId: 'conv_00000000000000000000',
  grantId: 'grant_00000000000000000000',
  uploadId: 'upl_000000000000000000000000000000000000',
  requestId: 'req_00000000000000000000',
  restoreId: 'rst_00000000000000000000',
  opid: 'bld_00000000000000000000',
  id: path.includes('/builds/') ? 'bld_00000000000000000000' : 'key_00000000000000000000',
});

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Of streams that go on: none. */
  readonly body: string;
}

/** Bodies that routes would take; without one here, a route is asked with an empty object, and answers 400. */
const BODIES: Record<string, object> = {
  createAimeeSite: { name: 'Mine' },
  updateAimeeSite: { name: 'Mine' },
  startAimeeCrawl: { urls: ['https://example.com/'] },
  searchAimeeConversations: { text: 'valve' },
  purgeAimeeConversations: { scope: 'all' },
  querySql: { sql: 'SELECT 1' },
  batchSql: { statements: [{ sql: 'SELECT 1' }] },
  migrateSql: { migrations: [{ id: '001-mine', sql: 'CREATE TABLE mine (id INTEGER)' }] },
  upsertVectors: { records: [{ id: 'mine', vector: [1, 2, 3] }] },
  deleteVectors: { ids: ['r1'] },
  queryVectors: { text: 'valve' },
  askVectors: { question: 'Which valve?' },
  approveTools: { approved: [] },
  beginVisitorRequest: { kind: 'access', reference: 'K7QF-2M9X-P4TZ' },
  extendVisitorRequest: { reason: 'It takes longer' },
  refuseVisitorRequest: { reason: 'It is not his' },
  extendRequest: { reason: 'It takes longer' },
  refuseRequest: { reason: 'It is not his' },
};
const QUERIES: Record<string, string> = { exportAimeeConversations: '?format=json' };

export interface Asking {
  readonly names: Names;
  readonly headers: Record<string, string>;
  /** Instead of the usual one. */
  readonly body?: object;
}

export async function ask(
  url: string,
  { path, method, operationId, media }: Route,
  { names, headers, body = BODIES[operationId] ?? {} }: Asking,
): Promise<Answer> {
  const [values, nobody] = [names(path), NOBODY(path)];
  const filled = path.replaceAll(
    /\{(\w+)\}/g,
    (_all, name: string) => values[name] ?? nobody[name] ?? 'nothing',
  );
  const isForm = media?.startsWith('multipart/') === true;
  const response = await fetch(`${url}${filled}${QUERIES[operationId] ?? ''}`, {
    method,
    headers: { ...headers, ...(media !== undefined && !isForm && { 'content-type': media }) },
    body: bodyOf(media, body),
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const shown = [...response.headers].filter(([name]) => name !== 'date');
  if (isStream) await response.body?.cancel();
  const text = isStream ? '' : await response.text();
  return { status: response.status, headers: Object.fromEntries(shown), body: text };
}

function bodyOf(media: string | undefined, body: object): FormData | string | null {
  if (media === undefined) return null;
  if (media === 'application/json') return JSON.stringify(body);
  if (!media.startsWith('multipart/')) return 'SELECT 1;';
  const form = new FormData();
  form.append('metadata', '{"title":"Mine"}');
  form.append('file', new Blob(['Mine.']), 'mine.txt');
  return form;
}
