import { createFunctionTools } from './ai/create-function-tools.ts';
import { createQueries } from './ai/create-queries.ts';
import { queryLimits } from './ai/limits.ts';
import type { Invoke } from './calls/invoke.ts';
import type { Recorder } from './calls/recorder.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Config } from './config.ts';
import type { Functions } from './functions/functions.ts';
import type { AiParts } from './gateway/ai/serve-ai.ts';
import type { OriginReader } from './gateway/data/origin-ip.ts';
import type { McpParts } from './gateway/mcp/serve-mcp.ts';
import { basename, join } from 'node:path';
import type { Clock } from './kernel/clock.ts';
import { PlatformError } from './kernel/errors.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { AccountChoices } from './models/account-choices.ts';
import { createEmbeddedModel } from './models/embedded.ts';
import { createModelFiles } from './models/model-files.ts';
import { createModels } from './models/models.ts';
import { hostNetwork } from './sandbox/egress-guard.ts';
import type { Jail } from './sandbox/jail.ts';
import { createToolSources } from './tool-sources/create-tool-sources.ts';
import type { SourceStore } from './tool-sources/source-store.ts';

export interface AiComposition {
  readonly config: Config;
  readonly jail: Jail;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
  readonly functions: Functions;
  readonly invoke: Invoke;
  readonly recorder: Recorder;
  readonly choices: AccountChoices;
  readonly toolSources: SourceStore;
  readonly originOf: OriginReader;
}

/** What lets models, ours or those of MCP clients, call functions. */
export function composeAi(parts: AiComposition): { readonly ai: AiParts; readonly mcp: McpParts } {
  const { config, jail, events, clock, scheduler, lifecycle, functions, invoke, recorder, choices } = parts;
  const { directory } = functions;
  const originIp: AiParts['originIp'] = (req) => parts.originOf(req).ip;
  const tools = createFunctionTools({ functions, directory, invoke, clock });

  const sources = createToolSources({
    store: parts.toolSources,
    allowedHosts: config.mcpAllowedHosts,
    network: hostNetwork,
    scheduler,
    events,
  });

  const source = sourceOf(config);
  const modelsDirectory = join(config.dataDir, 'models');
  const files = createModelFiles({ directory: modelsDirectory });
  const modelPath = config.modelFile ?? (source && join(modelsDirectory, `${source.name}.gguf`));
  const embedded =
    modelPath === undefined ? undefined : createEmbeddedModel({ jail, modelPath, clock, scheduler, events });
  const models = createModels({ configured: config.models, embedded, choices });
  lifecycle.onClose('models', () => models.close());
  const queries = createQueries({
    models,
    tools,
    sources,
    recorder,
    clock,
    scheduler,
    limits: queryLimits,
  });
  return {
    ai: {
      queries,
      models,
      sources,
      originIp,
      async *pull(name, signal) {
        if (source === undefined || (name !== undefined && name !== source.name))
          throw noSource(source?.name);
        yield* files.pull({ ...source, signal });
      },
    },
    mcp: {
      tools,
      originIp,
      onLibraryChanged: (listener) => directory.onChanged(listener),
    },
  };
}

interface ModelSource {
  readonly name: string;
  readonly url: URL;
  readonly sha256: string;
}

/** The model is called as its file is. */
function sourceOf({ modelSource, modelSha256 }: Config): ModelSource | undefined {
  if (modelSource === undefined || modelSha256 === undefined) return undefined;
  const url = new URL(modelSource);
  const name = basename(url.pathname)
    .replace(/\.gguf$/i, '')
    .toLowerCase();
  return { name, url, sha256: modelSha256 };
}

function noSource(configured: string | undefined): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'models.no_source',
    message:
      configured === undefined
        ? 'No model is configured to be fetched. The operator sets JELLYFAAS_MODEL_SOURCE and JELLYFAAS_MODEL_SHA256, or names a file on this machine with JELLYFAAS_MODEL_FILE.'
        : `Only the configured model can be fetched: ${configured}.`,
  });
}
