import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time, VersionQuery } from './scalars.ts';

/** The versioned API beside the compatible endpoints. Errors are RFC 9457 problems. */

const Day = z.iso.date();

/** Most days of call records that one request reads. */
export const CALL_DAYS_MAX = 31;
/** Most call records in one answer. */
export const CALL_ROWS_MAX = 5_000;

export const Me = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(['owner', 'member']),
  createdAt: Time,
  updatedAt: Time,
});
export type Me = z.infer<typeof Me>;

export const ApiKey = z.object({
  id: z.string(),
  createdAt: Time,
  /** The key that this request was made with, or that its token was issued under. */
  current: z.boolean(),
});
export const ApiKeys = z.object({ apiKeys: z.array(ApiKey) });

export const CreatedApiKey = z.object({
  id: z.string(),
  createdAt: Time,
  apiKey: z.string().describe('Shown once; only a keyed hash of it is stored.'),
});

export const FunctionVersion = z.object({
  version: z.int().min(1),
  releasedAt: Time,
  runtime: z.string(),
  runtimeDetail: z.string(),
  entrypoint: z.string(),
  requestType: z.string(),
  /** Hosts that the code may reach; empty: no network. */
  egress: z.array(z.string()),
  timeoutSeconds: z.number(),
  corsOrigins: z.array(z.string()),
  deployments: z.array(
    z.object({
      id: z.string(),
      size: z.string(),
      url: z.url(),
      instances: Count.describe("Running for the caller's account right now; 0: the next call starts one"),
    }),
  ),
  /** Over all kept days of call records. */
  statistics: z.object({ invocations: Count, failures: Count, avgDurationMs: Count }),
});

export const FunctionResource = z.object({
  shortname: z.string(),
  name: z.string(),
  description: z.string(),
  ownerName: z.string(),
  mine: z.boolean(),
  active: z.boolean(),
  published: z.boolean(),
  createdAt: Time,
  updatedAt: Time,
  tags: z.array(z.string()),
  ai: z.boolean(),
  /** Newest first. */
  versions: z.array(FunctionVersion),
});
export type FunctionResource = z.infer<typeof FunctionResource>;
export const FunctionList = z.object({ functions: z.array(FunctionResource) });
export type FunctionList = z.infer<typeof FunctionList>;

export const ConsoleLine = z.object({
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});

export const BuildEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('status'),
    status: z.enum(['QUEUED', 'BUILDING', 'STARTING', 'DEPLOYED', 'FAILED']),
  }),
  z.object({ type: z.literal('line'), text: z.string() }),
  z.object({ type: z.literal('failed'), errorDetails: z.string() }),
]);
export type BuildEvent = z.infer<typeof BuildEvent>;

/** Everything that the platform keeps of a call; there are no further fields. */
export const Call = z.object({
  day: Day,
  /** Absent once the function is no longer visible to the caller. */
  shortname: z.string().optional(),
  /** Of a request that is no call of one function; its `functionId` stands for the kind. */
  kind: z.enum(['question', 'vectors', 'sql', 'aimee']).optional(),
  functionId: z.string(),
  version: z.int(),
  originIp: z.string(),
  durationMs: Count,
  ok: z.boolean(),
});
export const Calls = z.object({
  calls: z.array(Call).max(CALL_ROWS_MAX),
  /** There are more rows than one answer holds; ask for fewer days. */
  truncated: z.boolean(),
});
export type Calls = z.infer<typeof Calls>;

const CallsQuery = z.strictObject({
  day: Day.optional().describe('Newest day, UTC; today if absent'),
  days: z.coerce.number<string>().int().min(1).max(CALL_DAYS_MAX).default(1),
  function: z.string().min(1).optional().describe('Shortname'),
});

export const CallStatistics = z.object({
  days: z
    .array(z.object({ day: Day, calls: Count, failures: Count }))
    .describe('Every day that was asked for, oldest first'),
  durationMs: z
    .object({ p50: Count, p95: Count, p99: Count })
    .nullable()
    .describe('Of all calls in these days, by nearest rank; null without calls'),
});
export type CallStatistics = z.infer<typeof CallStatistics>;

export const RuntimeInfo = z.object({
  id: z.string(),
  available: z.boolean(),
  /** What runs it, or what to install. */
  detail: z.string(),
});
export type RuntimeInfo = z.infer<typeof RuntimeInfo>;
export const Runtimes = z.object({ runtimes: z.array(RuntimeInfo) });

const ShortnameParams = z.object({ shortname: z.string() });

export const apiV1Routes = {
  getMe: {
    method: 'GET',
    path: '/api/v1/me',
    summary: 'Everything that is stored of the account holder',
    access: 'keyOrToken',
    ownAct: true,
    success: { status: 200, content: 'json', schema: Me },
    errors: [401, 403],
  },
  listApiKeys: {
    method: 'GET',
    path: '/api/v1/api-keys',
    summary: "The account's API keys, without the keys themselves",
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: ApiKeys },
    errors: [401, 403],
  },
  createApiKey: {
    method: 'POST',
    path: '/api/v1/api-keys',
    summary: 'Create a further API key; needs a key, because only a key can hand on the account key',
    access: 'key',
    fresh: true,
    success: { status: 201, content: 'json', schema: CreatedApiKey },
    errors: [401, 409],
  },
  revokeApiKey: {
    method: 'DELETE',
    path: '/api/v1/api-keys/{id}',
    summary: 'Revoke a key and every token issued under it, at once',
    access: 'key',
    fresh: true,
    params: z.object({ id: z.string() }),
    success: { status: 204, content: 'none' },
    errors: [401, 404, 409],
  },
  listFunctions: {
    method: 'GET',
    path: '/api/v1/functions',
    summary: 'Own functions and published ones, by shortname',
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: FunctionList },
    errors: [401, 403],
  },
  getFunction: {
    method: 'GET',
    path: '/api/v1/functions/{shortname}',
    summary: 'A function with its versions, deployments and statistics',
    access: 'keyOrToken',
    params: ShortnameParams,
    success: { status: 200, content: 'json', schema: FunctionResource },
    errors: [401, 403, 404],
  },
  deleteFunction: {
    method: 'DELETE',
    path: '/api/v1/functions/{shortname}',
    summary: 'Delete one version, or the function: keys destroyed, files gone, instances ended',
    access: 'key',
    fresh: true,
    params: ShortnameParams,
    query: z.strictObject({ version: VersionQuery.optional() }),
    success: { status: 204, content: 'none' },
    errors: [400, 401, 403, 404, 409],
  },
  watchConsole: {
    method: 'GET',
    path: '/api/v1/functions/{shortname}/console',
    summary: "Live output of the owner's own calls, from memory; nothing is kept or replayed",
    access: 'keyOrToken',
    params: ShortnameParams,
    success: { status: 200, content: 'events', schema: ConsoleLine },
    errors: [401, 403, 404, 429],
  },
  watchBuild: {
    method: 'GET',
    path: '/api/v1/builds/{id}/events',
    summary: 'Replay and follow a build to its end',
    access: 'keyOrToken',
    params: z.object({ id: z.string() }),
    success: { status: 200, content: 'events', schema: BuildEvent },
    errors: [401, 403, 404, 429],
  },
  listCalls: {
    method: 'GET',
    path: '/api/v1/calls',
    summary: "The caller's own call records, newest day first",
    access: 'keyOrToken',
    query: CallsQuery,
    success: { status: 200, content: 'json', schema: Calls },
    errors: [400, 401, 403, 404],
  },
  getCallStatistics: {
    method: 'GET',
    path: '/api/v1/calls/statistics',
    summary: "The caller's own calls by day, and how long they took, counted from the call records",
    access: 'keyOrToken',
    query: CallsQuery,
    success: { status: 200, content: 'json', schema: CallStatistics },
    errors: [400, 401, 403, 404],
  },
  listRuntimes: {
    method: 'GET',
    path: '/api/v1/runtimes',
    summary: 'Runtimes that jellyspec.json may name, and what serves them here',
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: Runtimes },
    errors: [401, 403],
  },
  getOpenApi: {
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This document',
    access: 'open',
    success: { status: 200, content: 'json', schema: z.record(z.string(), z.unknown()) },
    errors: [],
  },
  getReceiptKeys: {
    method: 'GET',
    path: '/.well-known/jellyfaas-receipts',
    summary: 'The public key (JWK Set) that checks receipts of deletions',
    access: 'open',
    success: {
      status: 200,
      content: 'json',
      schema: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;
