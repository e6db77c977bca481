import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import {
  type AiAnswer,
  type AiEvent,
  type AiQuery,
  type PullEvent,
  type TraceEntry,
  aiRoutes,
  queryServiceRoutes,
} from '../../../contract/index.ts';
import type { Principal } from '../../accounts/principal.ts';
import type { Queries, Query, QueryAnswer } from '../../ai/query.ts';
import type { Json } from '../../functions/spec.ts';
import type { Models } from '../../models/chat-model.ts';
import type { PullProgress } from '../../models/pull-file.ts';
import type { ToolSources } from '../../tool-sources/tool-sources.ts';
import { acceptsEvents, errorEvent, goneSignal, streamAnswer } from '../control/answer-stream.ts';
import type { Authenticator } from '../control/authenticate.ts';
import { bind } from '../control/bind.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';
import { openEventStream } from '../control/event-stream.ts';
import { type Slots, createSlots } from '../control/slots.ts';
import { reportFailure } from '../errors.ts';
import { serveSources } from './serve-sources.ts';

/** What questions in words need beside the control plane's own parts. */
export interface AiParts {
  readonly queries: Queries;
  readonly models: Pick<Models, 'list' | 'choice' | 'choose'>;
  readonly sources: Omit<ToolSources, 'open'>;
  /** Fetches the configured model; the name, if given, has to be its own. Rejects with `models.*` errors. */
  readonly pull: (name: string | undefined, signal: AbortSignal) => AsyncIterable<PullProgress>;
  /** Textual IP address of whoever makes a request. */
  readonly originIp: (req: IncomingMessage) => string;
}

export type AiOptions = Pick<ControlPlaneOptions, 'accounts' | 'events' | 'limits' | 'closing' | 'ai'>;

type AiQueryBody = z.output<typeof AiQuery>;

/** Questions as the public clients put them, and the richer form with history, several functions and streaming. */
export function serveAi(app: FastifyInstance, options: AiOptions): void {
  const slots = serveQuestions(app, options);
  serveSources(app, options, slots);
  serveModels(app, options);
  servePull(app, options);
}

export type QuestionOptions = Omit<AiOptions, 'accounts' | 'ai'> & {
  readonly accounts: Authenticator;
  readonly ai: Pick<AiParts, 'queries' | 'originIp'>;
};

/** What is asked, here or in a desk. */
export function serveQuestions(app: FastifyInstance, options: QuestionOptions): Slots {
  const { limits } = options;
  const slots = createSlots({
    total: limits.queriesMax,
    perHolder: limits.queriesPerAccountMax,
    code: 'ai.too_many_queries',
    what: 'questions',
  });
  serveQueryService(app, options, slots);
  serveQuery(app, options, slots);
  return slots;
}

function serveQueryService(app: FastifyInstance, options: QuestionOptions, slots: Slots): void {
  const { accounts, ai } = options;

  async function answer(
    { principal, request, reply }: Asker,
    asked: { query: string; functions: string[]; platform: string | undefined },
  ): Promise<z.input<typeof queryServiceRoutes.query.success.schema>> {
    const release = slots.take(principal.accountId);
    try {
      const { trace: _, ...shown } = await ai.queries.ask({
        principal,
        originIp: ai.originIp(request.raw),
        messages: [{ role: 'user', text: asked.query }],
        functions: asked.functions,
        platform: asked.platform,
        signal: goneSignal(reply),
      });
      return shown;
    } finally {
      release();
    }
  }

  bind(app, accounts, queryServiceRoutes.query, ({ body, ...asker }) =>
    answer(asker, { query: body.query, functions: [], platform: body.ai_platform }),
  );
  bind(app, accounts, queryServiceRoutes.queryFunction, ({ body, ...asker }) =>
    answer(asker, { query: body.query, functions: [body.function], platform: body.ai_platform }),
  );
}

interface Asker {
  readonly principal: Principal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function serveQuery(app: FastifyInstance, options: QuestionOptions, slots: Slots): void {
  const { accounts, ai } = options;
  bind(app, accounts, aiRoutes.aiQuery, async ({ principal, unlock, body, request, reply }) => {
    const release = slots.take(principal.accountId);
    try {
      const sources =
        body.sources.length === 0 ? {} : { sources: { names: body.sources, holder: await unlock() } };
      const query = { ...queryOf(body), ...sources, principal, originIp: ai.originIp(request.raw) };
      if (acceptsEvents(request)) {
        await stream(options, reply, { query, withTrace: body.trace });
        return undefined;
      }
      return shown(await ai.queries.ask({ ...query, signal: goneSignal(reply) }), body.trace);
    } finally {
      release();
    }
  });
}

type UnsignalledQuery = Omit<Query, 'signal'>;

function queryOf(body: AiQueryBody): Omit<UnsignalledQuery, 'principal' | 'originIp'> {
  const { question, messages, functions, platform, responseSchema } = body;
  return {
    messages: messages?.map(({ role, content }) =>
      role === 'assistant' ? { role, text: content, toolCalls: [] } : { role, text: content },
    ) ?? [{ role: 'user', text: question ?? '' }],
    functions,
    platform,
    ...(responseSchema !== undefined && { responseSchema: responseSchema as Json }),
  };
}

function shown({ trace, ...answer }: QueryAnswer, withTrace: boolean): AiAnswer {
  return withTrace ? { ...answer, trace: trace.map(entry) } : answer;
}

/** The same in the contract's own, unfrozen types. */
function entry(event: QueryAnswer['trace'][number]): TraceEntry {
  return event.type === 'tools-withheld' ? { ...event, tools: [...event.tools] } : event;
}

/** Passes on what happens as it happens. */
async function stream(
  options: QuestionOptions,
  reply: FastifyReply,
  { query, withTrace }: { query: UnsignalledQuery; withTrace: boolean },
): Promise<void> {
  await streamAnswer<AiEvent>(options, reply, {
    area: 'ai',
    async work(send, signal) {
      const answer = await options.ai.queries.ask({ ...query, signal }, (event) => {
        if (event.type === 'text') send(event);
        else if (withTrace) send(entry(event));
      });
      send({ type: 'answer', ...shown(answer, withTrace) });
    },
  });
}

function serveModels(app: FastifyInstance, { accounts, ai: { models } }: AiOptions): void {
  bind(app, accounts, aiRoutes.listAiModels, async () => ({
    models: models.list().map((each) => ({ ...each })),
  }));

  const choiceOf = async ({ accountId }: Principal): Promise<{ platform?: string }> => {
    const platform = await models.choice(accountId);
    return platform === undefined ? {} : { platform };
  };
  bind(app, accounts, aiRoutes.getAiChoice, ({ principal }) => choiceOf(principal));
  bind(app, accounts, aiRoutes.setAiChoice, async ({ principal, body }) => {
    await models.choose(principal.accountId, body.platform ?? null);
    return await choiceOf(principal);
  });
}

function servePull(app: FastifyInstance, { accounts, ai, events, limits, closing }: AiOptions): void {
  bind(app, accounts, aiRoutes.pullModel, async ({ body, reply }) => {
    const client = openEventStream(reply, { heartbeatMs: limits.heartbeatMs, closing });
    const send = (event: PullEvent): boolean => client.send(event, event.type);
    try {
      for await (const progress of ai.pull(body.name, client.signal))
        if (!send({ type: 'progress', ...progress })) await client.writable();
      send({ type: 'done' });
    } catch (thrown) {
      reportFailure(events, thrown, 'models');
      send(errorEvent(thrown));
    }
    client.end();
  });
}
