import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time, VersionQuery } from './scalars.ts';

/**
 * Wire shapes of the compatible endpoints: what the unmodified public clients decode. The Go client rejects a
 * whole answer for one bad time, fraction or null, and the Python SDK rejects explicit nulls, so optional means
 * absent and never null.
 */

/** Standard alphabet, padded. */
const Base64 = z.base64();
const Json = z.unknown();

export const ContentType = z.enum(['NONE', 'JSON', 'FILE']);

export const QueryParam = z.object({
  name: z.string(),
  required: z.boolean(),
  description: z.string(),
  exampleData: z.string(),
});

export const FileSchema = z.object({
  extensions: z.array(z.string()),
  required: z.boolean(),
  description: z.string(),
});

const RequirementsBase = z.object({
  requestType: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  description: z.string().optional(),
  inputType: ContentType,
  outputType: ContentType,
  queryParams: z.array(QueryParam),
  inputSchema: Json.optional(),
  outputSchema: Json.optional(),
  /** Hosts that the function may reach, `*` for any public one; empty: no network. Shows where data could go. */
  egress: z.array(z.string()),
});

/** Requirements as the SDKs' lookup has them. */
export const LookupRequirements = RequirementsBase.extend({
  inputSchemaEncoded: Base64.optional(),
  outputSchemaEncoded: Base64.optional(),
});
export type LookupRequirements = z.infer<typeof LookupRequirements>;

/** Requirements as the library has them. `*JsonSchema` is left out where a Go struct could not hold it. */
export const LibraryRequirements = RequirementsBase.extend({
  inputJsonSchema: z.record(z.string(), Json).optional(),
  inputJsonSchemaEncoded: Base64.optional(),
  inputJsonExample: Base64.optional(),
  outputJsonSchema: z.record(z.string(), Json).optional(),
  outputJsonSchemaEncoded: Base64.optional(),
  /** Plain text; present whenever `outputJsonSchemaEncoded` is. */
  outputJsonExample: z.string().optional(),
  inputFileSchema: FileSchema.optional(),
  inputFileSchemaEncoded: Base64.optional(),
  outputFileSchema: FileSchema.optional(),
  outputFileSchemaEncoded: Base64.optional(),
  /** `{name, description, parameters}` for a model; absent when the requirements cannot become a tool. */
  functionCallingEncoded: Base64.optional(),
});
export type LibraryRequirements = z.infer<typeof LibraryRequirements>;

export const Version = z.object({
  version: z.int().min(1),
  latest: z.boolean(),
  releaseDate: Time,
  runtime: z.string(),
  /** What really runs it, for example `CPython 3.11.2`. */
  runtimeDetail: z.string(),
  requirements: LibraryRequirements,
  /** Here `functionId` is the deployment id. */
  sizes: z.array(z.object({ size: z.string(), functionId: z.string() })),
  egress: z.array(z.string()),
  /** How to call the function's first size; the token is read from the variable JELLYFAAS_TOKEN. */
  languageSamples: z.array(
    z.object({
      language: z.string(),
      params: z.string().optional(),
      input: z.string().optional(),
      output: z.string().optional(),
      sdkCode: z.string(),
    }),
  ),
  changeLog: Base64.optional(),
  changeLogDetails: z
    .object({ date: z.string(), added: Base64, updated: Base64, removed: Base64 })
    .optional(),
  readmeFile: Base64,
  entryPoint: z.string(),
  description: z.string(),
});
export type Version = z.infer<typeof Version>;

export const FunctionDetails = z.object({
  createdAt: Time,
  updatedAt: Time,
  name: z.string(),
  /** The shortname. */
  functionId: z.string(),
  owner: z.string(),
  ownerDescription: z.string(),
  versionCount: Count,
  versions: z.array(Version),
  active: z.boolean(),
  published: z.boolean(),
  avgRating: Count,
  ratingCount: Count,
  tags: z.array(z.string()),
  ai: z.boolean(),
});
export type FunctionDetails = z.infer<typeof FunctionDetails>;

/**
 * Counts are those of the function over all kept days and all sizes: a call record does not hold the size.
 * `avgResponseTime` is in whole milliseconds.
 */
export const SizeStatistics = z.object({
  size: z.string(),
  invocationCount: Count,
  avgResponseTime: Count,
});

export const LibraryItem = z.object({
  createdAt: Time,
  name: z.string(),
  description: z.string(),
  owner: z.string(),
  ownerDescription: z.string(),
  functionId: z.string(),
  versions: Count,
  lastRelease: Time,
  active: z.boolean(),
  published: z.boolean(),
  sizes: z.array(SizeStatistics),
  avgRating: Count,
  ratingCount: Count,
  /** Of the newest version. */
  readmeFile: Base64,
  tags: z.array(z.string()),
  ai: z.boolean(),
});
export type LibraryItem = z.infer<typeof LibraryItem>;

export const BadBuild = z.object({
  createdAt: Time,
  buildId: z.string(),
  name: z.string(),
  functionId: z.string(),
  errorDetails: z.string(),
});
export type BadBuild = z.infer<typeof BadBuild>;

export const Library = z.object({
  count: Count,
  libraryItem: z.array(LibraryItem),
  badBuilds: z.array(BadBuild),
  uniqueTags: z.array(z.string()),
});
export type Library = z.infer<typeof Library>;

export const BadBuilds = z.object({ count: Count, badBuilds: z.array(BadBuild) });

export const DeployResult = z.object({
  function: z.string(),
  function_id: z.string(),
  /** One per size; poll `opid` with GET /upload/{opid}/{function_id}. */
  deployedDetails: z.array(z.object({ size: z.string(), opid: z.string(), urlLocation: z.string() })),
  /** Both versions are absent for a new function. */
  currentVersion: z.int().min(1).optional(),
  deployingVersion: z.int().min(1).optional(),
  new: z.boolean(),
  runtimeDetail: z.string(),
});
export type DeployResult = z.infer<typeof DeployResult>;

export const UploadStatus = z.object({
  status: z.enum(['QUEUED', 'BUILDING', 'STARTING', 'DEPLOYED', 'FAILED']),
});

export const Entity = z.object({ name: z.string(), email: z.string(), createdAt: Time, updatedAt: Time });
export const Entities = z.object({ entities: z.array(Entity) });

/** The public command line spells the key `"email "`, with a trailing space. */
export const CreateEntity = z
  .object({
    type: z.literal('user').default('user'),
    name: z.string().trim().min(1).max(200),
    email: z.email().max(254).optional(),
    'email ': z.email().max(254).optional(),
  })
  .transform((body, context) => {
    const email = body.email ?? body['email '];
    if (email === undefined) {
      context.addIssue({ code: 'custom', path: ['email'], message: 'Required: an e-mail address' });
      return z.NEVER;
    }
    return { name: body.name, email };
  });

export const CreatedEntity = z.object({
  password: z
    .string()
    .describe(
      "The new account's API key, shown once. There are no passwords; the public clients call it so.",
    ),
});

export const ValidatedKey = z.object({
  /** The JFWT: opaque. */
  token: z.string().min(1),
  expiry: Time,
});

export const Lookup = z.object({
  /** The newest (or asked for) deployment's URL, without query. */
  dns: z.url(),
  requirements: LookupRequirements,
});
export type Lookup = z.infer<typeof Lookup>;

const FunctionIdParams = z.object({ functionId: z.string() });
const CORE = '/core-service/v1';

export const compatibleRoutes = {
  validate: {
    method: 'GET',
    path: '/auth-service/v1/validate',
    summary: 'Exchange an API key for a JFWT (at most 24 hours)',
    access: 'key',
    success: { status: 200, content: 'json', schema: ValidatedKey },
    errors: [401],
  },
  lookup: {
    method: 'GET',
    path: '/auth-service/v1/lookup',
    summary: 'Where a function is called and what it takes',
    access: 'key',
    query: z.object({
      id: z.string().min(1).describe('Shortname'),
      version: z.preprocess((value) => (value === '' ? undefined : value), VersionQuery.optional()),
    }),
    success: { status: 200, content: 'json', schema: Lookup },
    errors: [400, 401, 404],
  },
  listEntities: {
    method: 'GET',
    path: `${CORE}/entity`,
    summary: 'List the accounts of the installation',
    access: 'ownerKey',
    success: { status: 200, content: 'json', schema: Entities },
    errors: [401, 403],
  },
  createEntity: {
    method: 'POST',
    path: `${CORE}/entity`,
    summary: 'Create an account',
    access: 'ownerKey',
    body: CreateEntity,
    success: { status: 201, content: 'json', schema: CreatedEntity },
    errors: [400, 401, 403, 409, 413, 415],
  },
  listLibrary: {
    method: 'GET',
    path: `${CORE}/library`,
    summary: 'Own and published functions, and own bad builds',
    access: 'key',
    success: { status: 200, content: 'json', schema: Library },
    errors: [401],
  },
  getLibraryItem: {
    method: 'GET',
    path: `${CORE}/library/{functionId}`,
    summary: 'One function with all its versions',
    access: 'key',
    params: FunctionIdParams,
    success: { status: 200, content: 'json', schema: FunctionDetails },
    errors: [401, 404],
  },
  publish: {
    method: 'PUT',
    path: `${CORE}/library/publish/{functionId}`,
    summary: 'Make a function callable by every account',
    access: 'key',
    params: FunctionIdParams,
    success: { status: 200, content: 'json', schema: FunctionDetails },
    errors: [401, 403, 404],
  },
  withdraw: {
    method: 'PUT',
    path: `${CORE}/library/withdraw/{functionId}`,
    summary: 'Make a function private again',
    access: 'key',
    params: FunctionIdParams,
    success: { status: 200, content: 'json', schema: FunctionDetails },
    errors: [401, 403, 404],
  },
  upload: {
    method: 'POST',
    path: `${CORE}/upload`,
    summary: 'Deploy a zipped function as its next version',
    access: 'key',
    upload: 'zip',
    success: { status: 200, content: 'json', schema: DeployResult },
    errors: [400, 401, 409, 413, 415, 429],
  },
  getUpload: {
    method: 'GET',
    path: `${CORE}/upload/{opid}/{functionId}`,
    summary: "A deploy's state; only DEPLOYED means done",
    access: 'key',
    params: z.object({ opid: z.string(), functionId: z.string() }),
    success: { status: 200, content: 'json', schema: UploadStatus },
    errors: [401, 404],
  },
  listBadBuilds: {
    method: 'GET',
    path: `${CORE}/badbuilds`,
    summary: 'Own builds that failed',
    access: 'key',
    success: { status: 200, content: 'json', schema: BadBuilds },
    errors: [401],
  },
  cleanBadBuild: {
    method: 'DELETE',
    path: `${CORE}/badbuilds`,
    summary: 'Remove a bad build, and the function if it was its only build',
    access: 'key',
    query: z.object({ id: z.string().min(1).describe('Build id') }),
    success: {
      status: 200,
      content: 'json',
      schema: z.object({ buildId: z.string(), functions: z.array(z.string()) }),
    },
    errors: [400, 401, 404],
  },
  exists: {
    method: 'GET',
    path: `${CORE}/exists`,
    summary: 'Whether a shortname is taken',
    access: 'key',
    query: z.object({ name: z.string().min(1).describe('Everything after `name=`, escaped or not') }),
    success: {
      status: 200,
      content: 'json',
      schema: z.object({ functionName: z.string(), exists: z.boolean() }),
    },
    errors: [400, 401],
  },
} as const satisfies Record<string, Route>;
