import { type RecordingOptions, createRecordRequest } from '../calls/record-request.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import { orAborted } from '../kernel/abort.ts';
import type { Models } from '../models/chat-model.ts';
import { Conversation } from './conversation.ts';
import { aiErrors } from './errors.ts';
import type { FunctionTool, FunctionTools } from './function-tool.ts';
import type { OpenedTools, OutsideTools } from './outside-tools.ts';
import type { QueryLimits } from './limits.ts';
import type { Queries, Query, QueryAnswer, QueryEvent } from './query.ts';
import { createResponseForm } from './response-form.ts';

export interface AnsweringOptions {
  readonly models: Pick<Models, 'select'>;
  readonly tools: FunctionTools;
  /** Absent where queries never name any. */
  readonly sources?: OutsideTools;
  readonly limits: QueryLimits;
}

export type QueriesOptions = AnsweringOptions & RecordingOptions;

export function createQueries(options: QueriesOptions): Queries {
  const recordRequest = createRecordRequest({ ...options, errors: aiErrors });
  return {
    ask: (query, onEvent = () => undefined) =>
      recordRequest(
        {
          accountId: query.principal.accountId,
          originIp: query.originIp,
          functionId: REQUEST_IDS.question,
          signal: query.signal,
          deadlineMs: options.limits.deadlineMs,
        },
        (signal) => answerQuery(options, { query, onEvent, signal }),
        ({ finish }) => finish === 'complete',
      ),
  };
}

interface Asked {
  readonly query: Query;
  readonly onEvent: (event: QueryEvent) => void;
  readonly signal: AbortSignal;
}

/** For requests that are recorded and bounded elsewhere. */
export async function answerQuery(
  options: AnsweringOptions,
  { query, onEvent, signal }: Asked,
): Promise<QueryAnswer> {
  const { models, limits } = options;
  const { responseSchema } = query;
  const form = responseSchema === undefined ? undefined : createResponseForm(responseSchema);
  const model = await orAborted(models.select(query.principal.accountId, query.platform), signal);
  const tools = await orAborted(toolsOf(options, query), signal);
  const outside = await outsideToolsOf(options, query, signal);
  const trace: Exclude<QueryEvent, { type: 'text' }>[] = [];
  const tell = (event: QueryEvent): void => {
    if (event.type !== 'text') trace.push(event);
    // A call that ends after its query has nobody to tell.
    if (!signal.aborted) onEvent(event);
  };
  try {
    const offered = [...tools, ...outside.tools];
    if (offered.length > limits.functionsMax) throw aiErrors.tooManyFunctions(limits.functionsMax);
    if (outside.withheld.length > 0) tell({ type: 'tools-withheld', tools: outside.withheld });
    const conversation = new Conversation({
      query,
      model,
      tools: offered,
      form,
      limits,
      signal,
      onEvent: tell,
    });
    const outcome = await conversation.run();
    const { platform, model: name, retention } = model;
    return { ...outcome, platform, model: name, retention, trace };
  } finally {
    outside.close();
  }
}

const NO_TOOLS: OpenedTools = { tools: [], withheld: [], close: () => undefined };

/** Connected only after everything else of the question has proven good: others learn of it then. */
async function outsideToolsOf(
  { sources }: AnsweringOptions,
  { sources: asked }: Query,
  signal: AbortSignal,
): Promise<OpenedTools> {
  if (sources === undefined || asked === undefined || asked.names.length === 0) return NO_TOOLS;
  return await sources.open(asked.holder, asked.names, signal);
}

async function toolsOf({ tools, limits }: AnsweringOptions, query: Query): Promise<readonly FunctionTool[]> {
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
