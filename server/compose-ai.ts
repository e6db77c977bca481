import { createFunctionTools } from './ai/create-function-tools.ts';
import { createQueries } from './ai/create-queries.ts';
import type { FunctionTools } from './ai/function-tool.ts';
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
import { createEmbeddingFiles } from './embeddings/embedding-files.ts';
import { embeddingDirectory } from './embeddings/embedding-settings.ts';
import type { AccountChoices } from './models/account-choices.ts';
import type { Models } from './models/chat-model.ts';
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

export interface ComposedAi {
  readonly ai: AiParts;
  readonly mcp: McpParts;
  readonly models: Models;
  readonly tools: FunctionTools;
}

/** What lets models, ours or those of MCP clients, call functions. */
export function composeAi(parts: AiComposition): ComposedAi {
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

  const modelPath = embeddedModelPath(config);
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
    models,
    tools,
    ai: {
      queries,
      models,
      sources,
      originIp,
      pull: createPull(config),
    },
    mcp: {
      tools,
      originIp,
      onLibraryChanged: (listener) => directory.onChanged(listener),
    },
  };
}

/** Where the embedded model's weights are, or will be once they are fetched. */
export function embeddedModelPath(config: Config): string | undefined {
  const source = sourceOf(config);
  return config.modelFile ?? (source && join(modelsDirectory(config), `${source.name}.gguf`));
}

function modelsDirectory({ dataDir }: Config): string {
  return join(dataDir, 'models');
}

/** Fetches the configured models: the one of that name, or all. */
function createPull(config: Config): AiParts['pull'] {
  const chat = sourceOf(config);
  const { source: embedding } = config.embeddings;
  const files = createModelFiles({ directory: modelsDirectory(config) });
  const embeddingFiles = createEmbeddingFiles(embeddingDirectory(config.dataDir));
  const names = [chat, embedding].flatMap((source) => (source === undefined ? [] : [source.name]));
  return async function* pull(name, signal) {
    const isWanted = (known: string): boolean => name === undefined || name === known;
    if (!names.some(isWanted)) throw noSource(names);
    if (chat !== undefined && isWanted(chat.name)) yield* files.pull({ ...chat, signal });
    if (embedding !== undefined && isWanted(embedding.name)) yield* embeddingFiles.pull(embedding, signal);
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

function noSource(configured: readonly string[]): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'models.no_source',
    message:
      configured.length === 0
        ? 'No model is configured to be fetched. The operator sets JELLYFAAS_MODEL_SOURCE and JELLYFAAS_MODEL_SHA256 (for embeddings JELLYFAAS_EMBEDDING_SOURCE and JELLYFAAS_EMBEDDING_SHA256), or names files on this machine with JELLYFAAS_MODEL_FILE and JELLYFAAS_EMBEDDING_MODEL_DIRECTORY.'
        : `Only configured models can be fetched: ${configured.join(', ')}.`,
  });
}
