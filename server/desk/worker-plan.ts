import type { RequestListener } from 'node:http';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DOCUMENT_LIMITS } from '../documents/document-limits.ts';
import { READER_BINDS } from '../documents/reader-process.ts';
import {
  type EmbeddingModelFiles,
  MODEL_FILE,
  TOKENIZER_FILE,
  embeddingEngineNeeds,
  filesOf,
} from '../embeddings/embedding-engine.ts';
import type { EmbeddingConfig } from '../embeddings/embedding-settings.ts';
import type { EngineNeeds } from '../engines/engine.ts';
import type { DeskRuntime, WorkerPlan } from '../languages/language.ts';
import type { ProviderConfig } from '../models/model-settings.ts';
import type { EgressPolicy } from '../sandbox/egress-policy.ts';
import { embeddingWeights } from './door-protocol.ts';

export interface DeskPlanOptions {
  readonly models: readonly ProviderConfig[];
  readonly embeddings: Pick<EmbeddingConfig, 'directory' | 'endpoint'>;
  /** Where the embedded model can be asked. */
  readonly embedded: EngineNeeds | undefined;
  readonly door: RequestListener;
}

const HOME = '/opt/jellyfaas/desk';
const NODE = `${HOME}/node`;
/** The program and what it imports, as they lie in the source tree: the code that answers the same requests in the clear. */
const SOURCES = ['package.json', 'node_modules', 'contract', 'server', 'clients/sdk', 'guest/desk'];
const CONCURRENCY = 16;
const MEMORY_MIB = 512;
const CPU_PERCENT = 100;

/** The jail in which what one caller sealed to the platform is answered (see guest/desk). */
export function deskPlan(runtime: DeskRuntime, options: DeskPlanOptions): WorkerPlan {
  const { embedded, door } = options;
  const egress = egressOf(runtime, options);
  const reading = runtime === 'vectors' ? readingOf(options.embeddings.directory) : NOTHING;
  return {
    argv: [NODE, `${HOME}/guest/desk/main.ts`, runtime],
    env: { NODE_ENV: 'production' },
    binds: [
      { source: process.execPath, target: NODE },
      ...SOURCES.map((path) => ({ source: sourcePath(path), target: `${HOME}/${path}` })),
      ...(embedded?.binds ?? []),
      ...reading.binds,
    ],
    preboot: false,
    concurrency: CONCURRENCY,
    cpuPercentMin: CPU_PERCENT + reading.cpuPercent + (embedded?.cpuPercent ?? 0),
    memoryMibMin: MEMORY_MIB + reading.memoryMib + (embedded?.memoryMib ?? 0),
    ...(egress !== undefined && { egress }),
    door,
  };
}

const NOTHING: EngineNeeds = { binds: [], memoryMib: 0, cpuPercent: 0 };
/** One document is read at a time, mostly waiting for its passages to be embedded. */
const READER: EngineNeeds = { binds: READER_BINDS, memoryMib: DOCUMENT_LIMITS.memoryMib, cpuPercent: 0 };

/** Documents are read and embedded in the desk's own jail. */
function readingOf(directory: string | undefined): EngineNeeds {
  const files = weightsIn(directory);
  if (directory === undefined || files === undefined) return READER;
  const weights = embeddingWeights(basename(directory));
  const embedding = embeddingEngineNeeds(files);
  return {
    ...embedding,
    binds: [
      ...READER.binds,
      ...embedding.binds,
      { source: files.model, target: `${weights}/${MODEL_FILE}` },
      { source: files.tokenizer, target: `${weights}/${TOKENIZER_FILE}` },
    ],
    memoryMib: READER.memoryMib + embedding.memoryMib,
  };
}

/** Missing until they are fetched. */
function weightsIn(directory: string | undefined): EmbeddingModelFiles | undefined {
  try {
    return directory === undefined ? undefined : filesOf(directory);
  } catch {
    return undefined;
  }
}

/** Only over TLS: what leaves in the clear would pass the server. */
function egressOf(runtime: DeskRuntime, { models, embeddings }: DeskPlanOptions): EgressPolicy | undefined {
  const { endpoint } = embeddings;
  const hosts = [...models, ...(runtime === 'vectors' && endpoint !== undefined ? [endpoint] : [])]
    .map(({ baseUrl }) => new URL(baseUrl))
    .filter(({ protocol }) => protocol === 'https:')
    .map(({ hostname, port }) => `${hostname}:${port || 443}`);
  return hosts.length === 0 ? undefined : { kind: 'trusted', hosts };
}

function sourcePath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
