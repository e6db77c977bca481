import * as z from 'zod';
import { aimeeConversationRoutes } from './aimee-conversations.ts';
import { aimeeRightsRoutes } from './aimee-rights.ts';
import { aimeeWidgetRoutes } from './aimee-widget.ts';
import { aimeeRoutes } from './aimee.ts';
import { apiV1Routes } from './api-v1.ts';
import { backupRoutes } from './backups.ts';
import { keyRotationRoutes } from './key-rotations.ts';
import { compatibleRoutes } from './compatible.ts';
import { copyRoutes } from './copies.ts';
import { CompatibleError, Problem } from './errors.ts';
import { privacyRoutes } from './privacy.ts';
import { rightsRoutes } from './rights.ts';
import { profileRoutes } from './profile.ts';
import { aiRoutes, queryServiceRoutes } from './query-service.ts';
import type { Route, Success } from './route.ts';
import { sessionRoutes } from './session.ts';
import { rdbmsRoutes, sqlRoutes } from './sql.ts';
import { sourceRoutes } from './tool-sources.ts';
import { vectorRoutes, vectorServiceRoutes } from './vectors.ts';

type JsonObject = Record<string, unknown>;

const REASONS: Record<number, string> = {
  200: 'Success',
  201: 'Created',
  202: 'Accepted; the work goes on',
  204: 'Done; no body',
  400: 'Invalid request',
  401: 'Missing or bad API key',
  403: 'Bad token, or not allowed',
  404: 'Not there, or not visible to the caller',
  409: 'Conflicts with the present state',
  413: 'Too large',
  415: 'Unsupported media type',
  423: 'The use of the account’s data is restricted',
  429: 'Too many at once; see Retry-After',
  500: 'Internal error',
  502: 'The model, or the function, failed',
  503: 'Not available now, or not set up',
  504: 'Not complete in time',
};

const SESSION = { session: [] };
const API_KEY = [{ apiKey: [] }, { bearer: [] }, SESSION];
const SECURITY: Record<Route['access'], JsonObject[]> = {
  open: [],
  key: API_KEY,
  ownerKey: API_KEY,
  keyOrToken: [...API_KEY, { jfwt: [] }],
  token: [{ jfwt: [] }],
  session: [SESSION],
};

/** OpenAPI 3.1 document of the compatible endpoints and of /api/v1. `version` is the platform's. */
export function openApiDocument(publicUrl: string, version: string): JsonObject {
  const paths: Record<string, JsonObject> = {};
  const groups = [
    {
      tag: 'compatible',
      routes: { ...compatibleRoutes, ...queryServiceRoutes, ...rdbmsRoutes, ...vectorServiceRoutes },
      error: 'CompatibleError',
      media: 'application/json',
    },
    {
      tag: 'api-v1',
      routes: {
        ...apiV1Routes,
        ...profileRoutes,
        ...privacyRoutes,
        ...rightsRoutes,
        ...copyRoutes,
        ...backupRoutes,
        ...keyRotationRoutes,
        ...aiRoutes,
        ...sqlRoutes,
        ...vectorRoutes,
        ...sourceRoutes,
        ...aimeeRoutes,
        ...aimeeConversationRoutes,
        ...aimeeRightsRoutes,
        ...aimeeWidgetRoutes,
        ...sessionRoutes,
      },
      error: 'Problem',
      media: 'application/problem+json',
    },
  ];
  for (const { tag, routes, error, media } of groups) {
    const failure = { content: { [media]: { schema: { $ref: `#/components/schemas/${error}` } } } };
    for (const [operationId, route] of Object.entries<Route>(routes)) {
      const operations = (paths[route.path] ??= {});
      operations[route.method.toLowerCase()] = { operationId, tags: [tag], ...operation(route, failure) };
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'JellyFaaS, self-hosted', version },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      schemas: { CompatibleError: jsonSchema(CompatibleError), Problem: jsonSchema(Problem) },
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-jf-apikey' },
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key (`sk_…`)' },
        jfwt: { type: 'apiKey', in: 'header', name: 'jfwt' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-jellyfaas',
          description: 'For pages of the portal, with the header `x-jellyfaas-portal: 1`',
        },
      },
    },
  };
}

function operation(route: Route, failure: JsonObject): JsonObject {
  const responses: JsonObject = { [route.success.status]: success(route.success) };
  // A session may be locked, not fresh, or used by a page of another site; an account may rest.
  const refusal = route.access === 'open' ? [] : [403, ...(route.ownAct === true ? [] : [423])];
  for (const status of new Set([...route.errors, ...refusal, 500]))
    responses[status] = { description: REASONS[status] ?? 'Error', ...failure };
  const body = requestBody(route);
  return {
    summary: route.summary,
    security: SECURITY[route.access],
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...(body !== undefined && { requestBody: body }),
    responses,
  };
}

function success(outcome: Success): JsonObject {
  const description = REASONS[outcome.status];
  switch (outcome.content) {
    case 'none':
      return { description };
    case 'json':
      return {
        description,
        content: {
          'application/json': { schema: jsonSchema(outcome.schema) },
          ...(outcome.events !== undefined && {
            'text/event-stream': { schema: jsonSchema(outcome.events) },
          }),
          ...(outcome.lines !== undefined && {
            'application/x-ndjson': { schema: jsonSchema(outcome.lines) },
          }),
          ...contentOf(outcome.alternatives ?? []),
        },
      };
    case 'stream':
      return { description, content: contentOf(outcome.mediaTypes) };
    case 'events':
      return {
        description: 'Server-sent events; the data of each is JSON of this schema',
        content: { 'text/event-stream': { schema: jsonSchema(outcome.schema) } },
      };
  }
}

const ZIP_FORM = { file: { type: 'string', contentMediaType: 'application/zip' } };
const DOCUMENT_FORM = {
  documentId: { type: 'string', description: 'Before the file' },
  metadata: { type: 'string', contentMediaType: 'application/json', description: 'Before the file' },
  file: { type: 'string', contentMediaType: 'application/octet-stream' },
};

function requestBody(route: Route): JsonObject | undefined {
  if (route.upload) {
    const schema = {
      type: 'object',
      properties: route.upload === 'zip' ? ZIP_FORM : DOCUMENT_FORM,
      required: ['file'],
    };
    return { required: true, content: { 'multipart/form-data': { schema } } };
  }
  if (route.stream !== undefined) return { required: true, content: contentOf(route.stream) };
  if (route.body === undefined) return undefined;
  return { required: true, content: { 'application/json': { schema: jsonSchema(route.body) } } };
}

/** Text or bytes of these types, of which JSON Schema has nothing to say. */
function contentOf(mediaTypes: readonly string[]): JsonObject {
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: { type: 'string' } }]));
}

function parameters(place: 'path' | 'query', object: z.ZodObject | undefined): JsonObject[] {
  if (object === undefined) return [];
  const schema = jsonSchema(object);
  const required = new Set(schema['required'] as string[] | undefined);
  return Object.entries(schema['properties'] as Record<string, JsonObject>).map(([name, property]) => ({
    name,
    in: place,
    required: required.has(name),
    schema: property,
  }));
}

function jsonSchema(schema: z.ZodType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    // A format says the same as the long pattern that stands beside it.
    override: ({ jsonSchema: generated }) => {
      if (generated.format !== undefined) delete generated.pattern;
    },
  });
  return rest;
}
