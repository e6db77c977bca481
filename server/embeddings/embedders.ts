import { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import { type Scheduler, within } from '../kernel/scheduler.ts';
import type { Models } from '../models/chat-model.ts';
import type { Embedder, EmbedderSource, Embedders } from './embedder.ts';

export interface EmbeddersOptions {
  /** The first that an account may use is its default. */
  readonly sources: readonly EmbedderSource[];
  /** An outside endpoint serves the accounts that chose its platform for their questions (decision D9). */
  readonly models: Pick<Models, 'choice'>;
  readonly scheduler: Scheduler;
}

/** For an endpoint that is listed to say how long its vectors are. */
const LIST_MS = 5000;

/** The embedding models of the installation and who may use which. */
export function createEmbedders({ sources, models, scheduler }: EmbeddersOptions): Embedders {
  async function named(accountId: AccountId, model: string): Promise<Embedder> {
    const source = sources.find(({ name }) => model === name || model.startsWith(`${name}@`));
    if (source === undefined) throw unknownModel(sources.map(({ name }) => name).join(', '));
    if (!(await isAllowed(accountId, source))) throw notChosen(source.platform);
    const embedder = await source.open();
    if (embedder.model !== model) throw unknownModel(embedder.model);
    return embedder;
  }

  async function isAllowed(accountId: AccountId, { isOutside, platform }: EmbedderSource): Promise<boolean> {
    return !isOutside || (await models.choice(accountId)) === platform;
  }

  return {
    async list() {
      const opened = await Promise.all(
        sources.map((source) => within(scheduler, LIST_MS, source.open()).catch(() => undefined)),
      );
      return opened
        .filter((embedder) => embedder !== undefined)
        .map(({ model, dimensions, isOutside, retention }) => ({ model, dimensions, isOutside, retention }));
    },
    async select(accountId, model) {
      const [first] = sources;
      if (first === undefined) throw noneConfigured();
      if (model !== undefined) return await named(accountId, model);
      for (const source of sources) if (await isAllowed(accountId, source)) return await source.open();
      throw notChosen(first.platform);
    },
    async close() {
      await Promise.all(sources.map(async (source) => await source.close()));
    },
  };
}

function noneConfigured(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'embeddings.none_configured',
    owner: 'platform',
    message:
      'This installation has no embedding model. The operator can add one in two ways: JELLYFAAS_EMBEDDING_SOURCE ' +
      'and `jellyfaas model pull` (or JELLYFAAS_EMBEDDING_MODEL_DIRECTORY) for a model on this machine, or ' +
      'JELLYFAAS_EMBEDDINGS_URL and JELLYFAAS_EMBEDDINGS_NAME for an endpoint. Vectors of your own need none.',
  });
}

function unknownModel(available: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'embeddings.unknown_model',
    message:
      'This installation does not have the embedding model that was asked for, and vectors of different models ' +
      `cannot be compared. There is: ${available}.`,
  });
}

function notChosen(platform: string): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'embeddings.not_chosen',
    message:
      `Texts sent to the embedding model of the platform "${platform}" leave the installation, so it serves only ` +
      'accounts that chose that platform. Choose it for your account first.',
  });
}
