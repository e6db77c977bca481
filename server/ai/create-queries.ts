import { type RecordingOptions, createRecordRequest } from '../calls/record-request.ts';
import { orAborted } from '../kernel/abort.ts';
import type { FunctionId } from '../kernel/ids.ts';
import type { Models } from '../models/chat-model.ts';
import { Conversation } from './conversation.ts';
import { aiErrors } from './errors.ts';
import type { FunctionTool, FunctionTools } from './function-tool.ts';
import type { QueryLimits } from './limits.ts';
import type { Queries, Query, QueryAnswer, QueryEvent } from './query.ts';
import { createResponseForm } from './response-form.ts';

export interface QueriesOptions extends RecordingOptions {
  readonly models: Pick<Models, 'select'>;
  readonly tools: FunctionTools;
  readonly limits: QueryLimits;
}

/** Stands for the query itself in its call record; what it called has records of its own. */
export const QUERY_FUNCTION_ID = 'fn_0000000000000000000q' as FunctionId;

export function createQueries(options: QueriesOptions): Queries {
  const recordRequest = createRecordRequest({ ...options, errors: aiErrors });
  return {
    ask: (query, onEvent = () => undefined) =>
      recordRequest(
        {
          accountId: query.principal.accountId,
          originIp: query.originIp,
          functionId: QUERY_FUNCTION_ID,
          signal: query.signal,
          deadlineMs: options.limits.deadlineMs,
        },
        (signal) => answerOf(options, { query, onEvent, signal }),
        ({ finish }) => finish === 'complete',
      ),
  };
}

interface Asked {
  readonly query: Query;
  readonly onEvent: (event: QueryEvent) => void;
  readonly signal: AbortSignal;
}

async function answerOf(options: QueriesOptions, { query, onEvent, signal }: Asked): Promise<QueryAnswer> {
  const { models, limits } = options;
  const { responseSchema } = query;
  const form = responseSchema === undefined ? undefined : createResponseForm(responseSchema);
  const model = await orAborted(models.select(query.principal.accountId, query.platform), signal);
  const tools = await orAborted(toolsOf(options, query), signal);
  const trace: Exclude<QueryEvent, { type: 'text' }>[] = [];
  const conversation = new Conversation({
    query,
    model,
    tools,
    form,
    limits,
    signal,
    onEvent: (event) => {
      if (event.type !== 'text') trace.push(event);
      // A call that ends after its query has nobody to tell.
      if (!signal.aborted) onEvent(event);
    },
  });
  const outcome = await conversation.run();
  const { platform, model: name, retention } = model;
  return { ...outcome, platform, model: name, retention, trace };
}

async function toolsOf({ tools, limits }: QueriesOptions, query: Query): Promise<readonly FunctionTool[]> {
  const { functions, principal } = query;
  if (functions !== 'library' && functions.length > limits.functionsMax)
    throw aiErrors.tooManyFunctions(limits.functionsMax);
  const found =
    functions === 'library'
      ? await tools.library(principal, { includePublished: false })
      : await tools.named(principal, functions);
  if (found.length > limits.functionsMax) throw aiErrors.tooManyFunctions(limits.functionsMax);
  return found;
}
