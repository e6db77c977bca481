import type { FunctionTools } from './ai/function-tool.ts';
import type { Recorder } from './calls/recorder.ts';
import type { Config } from './config.ts';
import type { Databases } from './databases/databases.ts';
import type { DocumentReader } from './documents/document-reader.ts';
import { createDocumentReader } from './documents/jailed-reader.ts';
import { createEmbeddedEmbedder } from './embeddings/embedded-embedder.ts';
import type { Embedders } from './embeddings/embedder.ts';
import { createEmbedders } from './embeddings/embedders.ts';
import { createEndpointEmbedder } from './embeddings/endpoint-embedder.ts';
import type { SqlParts } from './gateway/sql/serve-sql.ts';
import type { VectorParts } from './gateway/vectors/parts.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Models } from './models/chat-model.ts';
import type { Jail } from './sandbox/jail.ts';
import type { Copier } from './rights/copier.ts';
import { createSqlCopier } from './sql/copier.ts';
import { guarded } from './rights/guarded.ts';
import type { Restriction } from './rights/restriction.ts';
import { createSql } from './sql/create-sql.ts';
import { createExternalSql } from './sql/external/external-sql.ts';
import { createManagedSql } from './sql/managed/create-managed-sql.ts';
import { createVectorsCopier } from './vectors/copier.ts';
import { createVectors } from './vectors/create-vectors.ts';
import { createVectorEngine } from './vectors/engine/create-vector-engine.ts';
import type { SealedVectors, VectorEngine } from './vectors/engine/vector-engine.ts';
import { vectorLimits } from './vectors/limits.ts';

export interface DataComposition {
  readonly config: Config;
  readonly jail: Jail;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
  readonly databases: Databases;
  readonly restriction: Restriction;
  readonly recorder: Recorder;
  readonly models: Models;
  readonly tools: FunctionTools;
  readonly originIp: VectorParts['originIp'];
}

/** What reads, embeds and finds; AI.Mee's knowledge stands on it, too. */
export interface DataEngines {
  readonly engine: VectorEngine & SealedVectors;
  readonly reader: DocumentReader;
  readonly embedders: Embedders;
}

/** Vector and SQL databases: their engines, each a process apart, and the services over them. */
export function composeData(parts: DataComposition): {
  readonly vectors: VectorParts;
  readonly sql: SqlParts;
  readonly engines: DataEngines;
  readonly copiers: readonly Copier[];
} {
  const { config, lifecycle, databases, restriction, originIp } = parts;
  const engine = createVectorEngine(parts);
  lifecycle.onClose('vector engine', () => engine.close());
  databases.onDropped((id) => engine.forget(id));
  databases.onRotating({ pause: (id) => engine.forget(id), resume: (id) => engine.recall(id) });
  const reader = createDocumentReader(parts);
  lifecycle.onClose('document reader', () => reader.close());
  const engines = { engine, reader, embedders: openEmbedders(parts) };
  const vectors = createVectors({ ...parts, ...engines, limits: vectorLimits });
  lifecycle.onClose('vectors', () => vectors.close());

  const managed = createManagedSql(parts);
  lifecycle.onClose('managed SQL', () => managed.close());
  databases.onDropped((id) => managed.forget(id));
  databases.onRotating({ pause: (id) => managed.forget(id), resume: (id) => managed.recall(id) });
  const { sqlAllowedHosts: allowedHosts, sqlCaFile: caFile } = config;
  const external = createExternalSql({ ...parts, allowedHosts, caFile });
  lifecycle.onClose('outside SQL', () => external.close());
  const sql = createSql({ ...parts, managed, external });
  const copiers = [createVectorsCopier({ ...parts, ...engines }), createSqlCopier({ ...parts, managed })];
  return {
    vectors: { service: guarded(vectors, restriction), originIp },
    sql: { service: guarded(sql, restriction), originIp },
    engines,
    copiers,
  };
}

function openEmbedders(parts: DataComposition): Embedders {
  const { directory, endpoint } = parts.config.embeddings;
  const embedders = createEmbedders({
    ...parts,
    sources: [
      ...(endpoint === undefined ? [] : [createEndpointEmbedder({ config: endpoint })]),
      ...(directory === undefined ? [] : [createEmbeddedEmbedder({ ...parts, directory })]),
    ],
  });
  parts.lifecycle.onClose('embedders', () => embedders.close());
  return embedders;
}
