import type { IncomingMessage } from 'node:http';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { getCACertificates } from 'node:tls';
import type { Holder } from '../../accounts/principal.ts';
import type { Databases } from '../../databases/databases.ts';
import {
  DATABASE_HEADER,
  DOOR_PATHS,
  type DatabasesGiven,
  type EmbeddingsGiven,
  type Provider,
  embeddingWeights,
} from '../../desk/door-protocol.ts';
import type { KnownBearer } from '../../desk/passes.ts';
import type { EmbeddingConfig } from '../../embeddings/embedding-settings.ts';
import { atMost } from '../../kernel/at-most.ts';
import { PlatformError, notFound } from '../../kernel/errors.ts';
import type { Models } from '../../models/chat-model.ts';
import type { ProviderConfig } from '../../models/model-settings.ts';
import type { SealedVectors } from '../../vectors/engine/vector-engine.ts';
import { bodyTooLarge } from '../control/fastify-error.ts';
import { badToken } from '../data/data-plane.ts';

export interface DoorVectorsOptions {
  readonly databases: Pick<Databases, 'open' | 'list'>;
  readonly engine: SealedVectors;
  readonly models: Pick<Models, 'choice'>;
  readonly embeddings: Pick<EmbeddingConfig, 'directory' | 'endpoint'>;
}

/** A request as it was sent may have 32 MiB; its vectors are as long again in binary at most. */
const SEALED_BYTES_MAX = 64 * 1_048_576;

/** What a desk asks about vector databases; undefined for any other request. Contents pass as sealed bytes. */
export async function answerVectors(
  options: DoorVectorsOptions,
  bearer: KnownBearer,
  req: IncomingMessage,
): Promise<DatabasesGiven | EmbeddingsGiven | Uint8Array | undefined> {
  const { url } = req;
  if (url === DOOR_PATHS.embeddings) return await embeddingsOf(options, bearer);
  if (url === DOOR_PATHS.databases) return await databasesOf(options, bearer);
  if (url === DOOR_PATHS.engineKey) return await options.engine.sealingKey();
  return url === DOOR_PATHS.engine ? await passOn(options, bearer, req) : undefined;
}

async function databasesOf({ databases }: DoorVectorsOptions, bearer: KnownBearer): Promise<DatabasesGiven> {
  const found = await databases.list(await holderOf(bearer), 'vector');
  return found.map(({ id, name, settings, createdAt }) => ({ id, name, settings, createdAt }));
}

async function holderOf({ unlock }: KnownBearer): Promise<Holder> {
  const holder = await unlock();
  if (holder === undefined) throw badToken();
  return holder;
}

async function embeddingsOf(
  { embeddings, models }: DoorVectorsOptions,
  { principal }: KnownBearer,
): Promise<EmbeddingsGiven> {
  const { directory, endpoint } = embeddings;
  return {
    directory: directory === undefined ? undefined : embeddingWeights(basename(directory)),
    endpoint: endpoint === undefined ? undefined : overTls(endpoint),
    certificates: getCACertificates('extra'),
    choice: await models.choice(principal.accountId),
  };
}

/** As a desk is told of it; `key` in the clear, because it asks by itself. Throws for what TLS does not protect. */
export function overTls(config: ProviderConfig): Provider {
  if (!config.baseUrl.startsWith('https:')) throw inTheClear(config.platform);
  return { ...config, key: config.key?.reveal() };
}

function inTheClear(platform: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'ai.model_in_the_clear',
    owner: 'platform',
    message: `The model ${platform} is reached without TLS, so what is sealed would be read on its way to it. Ask without the seal, choose another model, or have the operator put TLS before it.`,
  });
}

async function passOn(
  { databases, engine }: DoorVectorsOptions,
  bearer: KnownBearer,
  req: IncomingMessage,
): Promise<Uint8Array> {
  const named = req.headers[DATABASE_HEADER];
  if (typeof named !== 'string') throw notFound('database');
  const body = await buffer(Readable.toWeb(req).pipeThrough(atMost(SEALED_BYTES_MAX, bodyTooLarge)));
  const { file } = await databases.open(await holderOf(bearer), 'vector', decodeURIComponent(named));
  try {
    return await engine.sealed(file, body);
  } finally {
    file.key.fill(0);
  }
}
