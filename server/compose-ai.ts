import { createFunctionTools } from './ai/create-function-tools.ts';
import { createQueries } from './ai/create-queries.ts';
import type { FunctionTools } from './ai/function-tool.ts';
import { queryLimits } from './ai/limits.ts';
import type { Invoke } from './calls/invoke.ts';
import type { Recorder } from './calls/recorder.ts';
import type { Scheduler } from './calls/scheduler.ts';
import type { Config } from './config.ts';
import type { Functions } from './functions/functions.ts';
import type { AiParts } from './gateway/ai/serve-ai.ts';
import { createOriginReader } from './gateway/data/origin-ip.ts';
import type { McpParts } from './gateway/mcp/serve-mcp.ts';
import type { Clock } from './kernel/clock.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { AccountChoices } from './models/account-choices.ts';
import { createModels } from './models/models.ts';

export interface AiComposition {
  readonly config: Config;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
  readonly functions: Functions;
  readonly invoke: Invoke;
  readonly recorder: Recorder;
  readonly choices: AccountChoices;
}

/** Larger than what a model is shown of an answer: clients of MCP save files, too. */
const MCP_RESULT_BYTES_MAX = 8 * 1_048_576;

/** What lets models, ours or those of MCP clients, call functions. */
export function composeAi(parts: AiComposition): { readonly ai: AiParts; readonly mcp: McpParts } {
  const { config, clock, scheduler, lifecycle, functions, invoke, recorder, choices } = parts;
  const { directory } = functions;
  const originOf = createOriginReader(config.trustedProxies);
  const originIp: AiParts['originIp'] = (req) => originOf(req).ip;
  const toolsWith = (resultBytesMax: number): FunctionTools =>
    createFunctionTools({ functions, directory, invoke, clock, resultBytesMax });

  const models = createModels({ configured: config.models, choices });
  lifecycle.onClose('models', () => models.close());
  const queries = createQueries({
    models,
    tools: toolsWith(queryLimits.resultBytesMax),
    recorder,
    clock,
    scheduler,
    limits: queryLimits,
  });
  return {
    ai: { queries, models, originIp },
    mcp: {
      tools: toolsWith(MCP_RESULT_BYTES_MAX),
      originIp,
      onLibraryChanged: (listener) => directory.onChanged(listener),
    },
  };
}
