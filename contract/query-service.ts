import * as z from 'zod';
import type { Route } from './route.ts';
import { Count } from './scalars.ts';
import { SourceName } from './tool-sources.ts';

/**
 * Questions in words. `/query-service/v1` is what the public clients send; `/api/v1/ai` adds several functions,
 * history, structured answers, streaming and the choice of a model. Nothing of either is kept.
 */

/** Most functions that one question may name, and most of a library that is offered as a whole. */
export const QUERY_FUNCTIONS_MAX = 64;
const QUERY_MESSAGES_MAX = 200;
const QUERY_SOURCES_MAX = 8;

const Question = z.string().trim().min(1).max(200_000);
const Platform = z.string().min(1).max(64);
const Shortname = z.string().min(1).max(100);
const Json = z.unknown();

const Finish = z
  .enum(['complete', 'length', 'step-limit', 'filtered'])
  .describe('`complete`, or why the answer ends early');

/** Clients read `answer`; the rest tells them which model spoke and what its provider keeps. */
export const CompatibleAnswer = z.object({
  answer: z.string().describe('Markdown'),
  finish: Finish,
  platform: z.string(),
  model: z.string(),
  retention: z.enum(['none', 'provider']),
});

const ToolCalled = z.object({
  type: z.literal('tool-call'),
  id: z.string(),
  function: z.string(),
  source: z
    .string()
    .optional()
    .describe('The outside MCP server that got the arguments; absent for functions'),
  arguments: Json,
});
const ToolAnswered = z.object({
  type: z.literal('tool-result'),
  id: z.string(),
  ok: z.boolean(),
  status: z
    .int()
    .nullable()
    .describe("The function's HTTP status; null when it did not answer, and for tools of outside servers"),
  result: z.string().describe('As much as the model was shown'),
});
const ToolRefused = z.object({
  type: z.literal('tool-refused'),
  id: z.string(),
  function: z.string(),
  reason: z.string(),
});

const ToolsWithheld = z.object({
  type: z.literal('tools-withheld'),
  tools: z
    .array(z.object({ source: z.string(), tool: z.string(), reason: z.enum(['changed', 'new', 'unusable']) }))
    .describe('Tools of outside servers that are not approved as they are now, and were not offered'),
});

export const TraceEntry = z.discriminatedUnion('type', [
  ToolCalled,
  ToolAnswered,
  ToolRefused,
  ToolsWithheld,
]);
export type TraceEntry = z.infer<typeof TraceEntry>;

export const AiAnswer = CompatibleAnswer.extend({
  answer: z.string().describe('Markdown, or JSON text under `responseSchema`'),
  trace: z.array(TraceEntry).optional().describe('Present when it was asked for'),
});
export type AiAnswer = z.infer<typeof AiAnswer>;

/**
 * One server-sent event; its name is the same as `type`. Texts come as the model writes them. The stream ends
 * with `answer` or `error`, then `done`; one that ends without `done` was cut.
 */
export const AiEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  ToolCalled,
  ToolAnswered,
  ToolRefused,
  ToolsWithheld,
  AiAnswer.extend({ type: z.literal('answer') }),
  z.object({ type: z.literal('error'), code: z.string(), detail: z.string(), status: z.int() }),
  z.object({ type: z.literal('done') }),
]);
export type AiEvent = z.infer<typeof AiEvent>;

export const AiQuery = z
  .strictObject({
    question: Question.optional().describe('Short for one message of the role `user`'),
    messages: z
      .array(
        z.strictObject({
          role: z.enum(['system', 'user', 'assistant']),
          content: z.string().max(500_000),
        }),
      )
      .min(1)
      .max(QUERY_MESSAGES_MAX)
      .optional()
      .describe('Earlier turns and, last, the question; the platform remembers none'),
    functions: z
      .union([z.array(Shortname).max(QUERY_FUNCTIONS_MAX), z.literal('library')])
      .default([])
      .describe('Shortnames of functions that the model may call, or `library` for any of your own'),
    sources: z
      .array(SourceName)
      .max(QUERY_SOURCES_MAX)
      .default([])
      .describe('Outside MCP servers whose approved tools the model may call, too'),
    platform: Platform.optional().describe("One of /api/v1/ai/models; the account's choice if absent"),
    responseSchema: z
      .record(z.string(), Json)
      .optional()
      .describe('JSON Schema (2020-12): the answer is JSON of it'),
    trace: z.boolean().default(false).describe('Show which functions were called with what'),
  })
  .refine(({ question, messages }) => (question === undefined) !== (messages === undefined), {
    message: 'Send either `question` or `messages`.',
  })
  .refine(({ messages }) => messages === undefined || messages.at(-1)?.role === 'user', {
    message: 'The last message is the question: its role is `user`.',
    path: ['messages'],
  });

export const AiModels = z.object({
  models: z.array(
    z.object({
      platform: z.string(),
      model: z.string(),
      isOutside: z.boolean().describe('What is asked leaves this installation'),
      retention: z.enum(['none', 'provider']),
    }),
  ),
});

/** Absent: the installation's default. Choosing an outside provider is the consent to send it what is asked. */
export const AiChoice = z.strictObject({ platform: Platform.optional() });

/** How far a model's file has come. The stream ends with `done`, or with `error`: asking again goes on from there. */
export const PullEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('progress'),
    name: z.string(),
    bytes: Count,
    totalBytes: Count.nullable().describe('Null when the source does not tell'),
  }),
  z.object({ type: z.literal('error'), code: z.string(), detail: z.string(), status: z.int() }),
  z.object({ type: z.literal('done') }),
]);
export type PullEvent = z.infer<typeof PullEvent>;

/** The public clients' endpoints. They send more fields than we read, so bodies are not strict. */
export const queryServiceRoutes = {
  query: {
    method: 'POST',
    path: '/query-service/v1/query',
    summary: 'Ask a model',
    access: 'token',
    body: z.object({ query: Question, ai_platform: Platform.optional() }),
    success: { status: 200, content: 'json', schema: CompatibleAnswer },
    errors: [400, 403, 409, 413, 415, 429, 502, 503, 504],
  },
  queryFunction: {
    method: 'POST',
    path: '/query-service/v1/function',
    summary: 'Ask a model that may call one function',
    access: 'token',
    body: z.object({ query: Question, function: Shortname, ai_platform: Platform.optional() }),
    success: { status: 200, content: 'json', schema: CompatibleAnswer },
    errors: [400, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
} as const satisfies Record<string, Route>;

export const aiRoutes = {
  aiQuery: {
    method: 'POST',
    path: '/api/v1/ai/query',
    summary: 'Ask a model that may call functions; streams when text/event-stream is accepted',
    access: 'keyOrToken',
    body: AiQuery,
    success: { status: 200, content: 'json', schema: AiAnswer, events: AiEvent },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  listAiModels: {
    method: 'GET',
    path: '/api/v1/ai/models',
    summary: 'Models that questions may be put to; empty on a bare installation',
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: AiModels },
    errors: [401, 403],
  },
  getAiChoice: {
    method: 'GET',
    path: '/api/v1/ai/choice',
    summary: "The account's platform",
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: AiChoice },
    errors: [401, 403],
  },
  setAiChoice: {
    method: 'PUT',
    path: '/api/v1/ai/choice',
    summary: "Choose the account's platform, or take the choice back",
    access: 'key',
    body: AiChoice,
    success: { status: 200, content: 'json', schema: AiChoice },
    errors: [400, 401, 413, 415],
  },
  pullModel: {
    method: 'POST',
    path: '/api/v1/models/pull',
    summary: 'Fetch the embedded model that the operator configured',
    access: 'ownerKey',
    body: z.strictObject({ name: z.string().max(64).optional().describe('The configured one, if given') }),
    success: { status: 200, content: 'events', schema: PullEvent },
    errors: [400, 401, 403, 413, 415, 429],
  },
} as const satisfies Record<string, Route>;
