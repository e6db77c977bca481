import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CompatibleError,
  Problem,
  type Route,
  aiRoutes,
  aimeeConversationRoutes,
  aimeeRoutes,
  aimeeRightsRoutes,
  aimeeWidgetRoutes,
  apiV1Routes,
  compatibleRoutes,
  openApiDocument,
  backupRoutes,
  keyRotationRoutes,
  privacyRoutes,
  profileRoutes,
  queryServiceRoutes,
  rdbmsRoutes,
  copyRoutes,
  rightsRoutes,
  sessionRoutes,
  sourceRoutes,
  sqlRoutes,
  vectorRoutes,
  vectorServiceRoutes,
} from '../../../contract/index.ts';
import { SITE_ID } from '../aimee/testing/fake-aimee.ts';
import { OWNER_KEY, owner } from '../testing/fakes.ts';
import type { FunctionId } from '../../kernel/ids.ts';
import { PAGE, type RunningGateway, startGateway } from '../testing/start.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const QUERY: Record<string, string> = {
  lookup: '?id=greeter',
  exists: '?name=greeter',
  cleanBadBuild: '?id=bld_bad',
  listCalls: '?days=2',
  embedderUpload: '?collection_name=manuals',
  embedderStatus: '?upload_id=upl_1',
};
const PARAMS: Record<string, string> = {
  functionId: 'greeter',
  shortname: 'greeter',
  opid: 'bld_1',
  name: 'manuals',
  documentId: 'handbook',
  uploadId: 'upl_1',
  siteId: SITE_ID,
  conversationId: 'conv_0000000000000000000a',
  grantId: 'grant_0000000000000000000a',
  restoreId: 'rst_00000000000000000001',
  requestId: 'req_00000000000000000001',
  purpose: 'statistics',
};

const BODY: Record<string, object> = {
  createEntity: { type: 'user', name: 'Ann', email: 'ann@example.org' },
  query: { query: 'What?' },
  queryFunction: { query: 'What?', function: 'greeter', ai_platform: 'gemini' },
  aiQuery: { question: 'What?', functions: ['greeter'], trace: true },
  setAiChoice: { platform: 'own' },
  pullModel: {},
  addToolSource: { name: 'weather', url: 'https://mcp.example.com/mcp' },
  approveTools: { approved: [{ name: 'forecast', sha256: 'a'.repeat(64) }] },
  verifyBackup: { share: 0.5 },
  requestRestore: { generation: 1, reason: 'the disk broke' },
  createSqlDatabase: { name: 'fleet' },
  querySql: { sql: 'SELECT * FROM people WHERE id = ?', params: [1] },
  batchSql: { statements: [{ sql: 'SELECT 1' }, { sql: 'SELECT :a', params: { a: null } }] },
  migrateSql: { migrations: [{ id: '001-people', sql: 'CREATE TABLE people (id INTEGER)' }] },
  askSql: { question: 'How many?', database: 'manuals', trace: true },
  queryRdbms: { query: 'How many?', tables: ['people'], mysql_connection_string: 'mysql://a:b@c/d' },
  createVectorDatabase: { name: 'news' },
  upsertVectors: { records: [{ id: 'a', vector: [0.5], metadata: { year: 2026 } }] },
  deleteVectors: { filter: { year: { lt: 2026 } } },
  queryVectors: { text: 'valve' },
  askVectors: { question: 'Which valve?' },
  createAimeeSite: { name: 'Pumps' },
  updateAimeeSite: { name: 'Pumps', handOver: { kind: 'none' } },
  startAimeeCrawl: { sitemap: 'https://example.com/sitemap.xml' },
  searchAimeeConversations: { text: 'valve' },
  purgeAimeeConversations: { scope: 'range', from: '2026-11-01', to: '2026-11-23' },
  createAimeeGrant: {
    site: SITE_ID,
    conversations: ['conv_0000000000000000000a'],
    reason: 'Ticket 7',
    minutes: 10,
  },
  eraseAccount: { confirm: owner.accountId },
  beginRightsRequest: { kind: 'objection', purpose: 'statistics' },
  noteRequest: { kind: 'erasure', email: 'mike@example.org' },
  extendRequest: { reason: 'There is much to look at.' },
  refuseRequest: { reason: 'It was answered last week.' },
  beginVisitorRequest: { kind: 'access', reference: 'K7QF-2M9X-P4TZ' },
  completeVisitorRequest: { note: { message: 1, text: 'It is blue.' } },
  extendVisitorRequest: { reason: 'There is much to look at.' },
  refuseVisitorRequest: { reason: 'It was answered last week.' },
  transmitCopy: { address: 'https://other.example.org/api/v1/rights/receptions', token: 'rcv_x' },
  updateMe: { name: 'Ada', email: 'ada@example.org' },
  redeemSignInLink: { apiKey: OWNER_KEY },
  unlockSession: { apiKey: OWNER_KEY },
  queryVectorDatabase: { query: 'Which valve?', vector_mongo_collection: 'manuals', rag_query: 'valve' },
};

/** What requests without a credential are answered with. */
const REFUSED: Record<string, number> = {
  open: 200,
  token: 403,
  redeemSignInLink: 403,
  sendWidgetMessage: 400,
  sendWidgetFeedback: 400,
  requestWidgetHandOver: 400,
  receiveCopy: 403,
};

const ROUTES: [string, Route][] = Object.entries<Route>({
  ...compatibleRoutes,
  ...queryServiceRoutes,
  ...apiV1Routes,
  ...profileRoutes,
  ...privacyRoutes,
  ...rightsRoutes,
  ...copyRoutes,
  ...backupRoutes,
  ...keyRotationRoutes,
  ...aiRoutes,
  ...sourceRoutes,
  ...rdbmsRoutes,
  ...sqlRoutes,
  ...vectorRoutes,
  ...vectorServiceRoutes,
  ...aimeeRoutes,
  ...aimeeConversationRoutes,
  ...aimeeRightsRoutes,
  ...aimeeWidgetRoutes,
  ...sessionRoutes,
});
const JSON_ROUTES = ROUTES.filter(([, route]) => route.success.content === 'json');

async function credentials(name: string, { access }: Route): Promise<Record<string, string>> {
  if (access === 'session') return await running.portal();
  if (name === 'receiveCopy') return { authorization: 'Bearer rcv_token' };
  if (access === 'token') return { jfwt: `token:${OWNER_KEY}` };
  return name === 'redeemSignInLink' ? PAGE : {};
}

function requestFor(
  name: string,
  route: Route,
  credential: Record<string, string> = {},
): { path: string; init: RequestInit } {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_all, key: string) => PARAMS[key] ?? '');
  const headers: Record<string, string> = { ...credential };
  const init: RequestInit = { method: route.method, headers };
  if (route.upload) {
    const form = new FormData();
    if (route.upload === 'document') form.append('metadata', '{"title":"Handbook"}');
    form.append('file', new Blob(['zip']), 'greeter.zip');
    init.body = form;
  } else if (route.stream !== undefined) {
    init.body = 'SELECT 1;';
    headers['content-type'] = route.stream.at(-1) ?? '';
  } else if (route.body !== undefined) {
    init.body = JSON.stringify(BODY[name]);
    headers['content-type'] = 'application/json';
  }
  return { path: path + (QUERY[name] ?? ''), init };
}

describe('the contract', () => {
  it.each(JSON_ROUTES)('describes the whole answer of %s, field for field', async (name, route) => {
    running.fakes.calls.rows.set('2026-11-23', [
      {
        accountId: owner.accountId,
        functionId: 'fn_greeter' as FunctionId,
        version: 2,
        originIp: '127.0.0.1',
        durationMs: 12,
        ok: true,
      },
    ]);
    const { path, init } = requestFor(name, route, await credentials(name, route));
    const response = await running.fetch(path, init);
    expect(response.status).toBe(route.success.status);
    const body: unknown = await response.json();
    // Parsing drops what the schema does not know, so equality means that nothing undeclared is sent.
    expect(route.success.content === 'json' && route.success.schema.parse(body)).toEqual(body);
  });

  it.each(ROUTES)('is the only place where %s is defined: every route is served', async (name, route) => {
    const { path, init } = requestFor(name, route);
    const response = await fetch(`${running.url}${path}`, { method: init.method ?? 'GET' });
    expect(response.status).toBe(REFUSED[name] ?? REFUSED[route.access] ?? 401);
    const body: unknown = await response.json();
    const shape = path.startsWith('/api/v1') ? Problem : CompatibleError;
    if (route.access !== 'open') expect(shape.parse(body)).toEqual(body);
  });
});

describe('the OpenAPI document', () => {
  const document = openApiDocument('https://faas.example.org', '1.2.3') as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
  };
  interface Operation {
    operationId: string;
    parameters: { name: string; in: string; required: boolean; schema: object }[];
    responses: Record<string, { description: string }>;
    security: Record<string, unknown>[];
  }
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, string, Operation] => [path, method, operation]),
  );

  it('is served without a key, with the URL that clients reach', async () => {
    const served = (await (await fetch(`${running.url}/api/v1/openapi.json`)).json()) as object;
    expect(served).toMatchObject({
      openapi: '3.1.1',
      info: { version: '1.2.3' },
      servers: [{ url: running.url }],
    });
  });

  it('covers every route of the contract once', () => {
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ROUTES.map(([name]) => name).toSorted());
  });

  it.each(operations)('is sound at %s %s', (path, _method, operation) => {
    const declared = operation.parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name);
    expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    for (const parameter of operation.parameters) {
      expect(parameter.required || parameter.in === 'query').toBe(true);
      expect(parameter.schema).toBeTypeOf('object');
    }
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^[2-5]\d\d$/);
      expect(response.description).toBeTypeOf('string');
    }
    for (const requirement of operation.security) {
      for (const scheme of Object.keys(requirement))
        expect(document.components.securitySchemes).toHaveProperty(scheme);
    }
  });

  it('refers to nothing that it does not define, and holds plain JSON', () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(document.components.schemas).toHaveProperty(name ?? '');
    expect(text).not.toContain('"$ref":"#/$defs');
    expect(JSON.parse(text)).toEqual(document);
  });
});
