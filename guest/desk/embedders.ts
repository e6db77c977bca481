import type { EmbedderSource, Embedders } from '../../server/embeddings/embedder.ts';
import { createEmbeddedEmbedder } from '../../server/embeddings/embedded-embedder.ts';
import { createEmbedders } from '../../server/embeddings/embedders.ts';
import { createEndpointEmbedder } from '../../server/embeddings/endpoint-embedder.ts';
import type { EmbeddingsGiven } from '../../server/desk/door-protocol.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import { systemScheduler } from '../../server/kernel/scheduler.ts';
import type { Door } from './door.ts';
import { configOf } from './models.ts';
import { startHere } from './start-here.ts';
import { wayOut } from './way-out.ts';

/** The embedding models that the door names: the embedded one as a process beside this, an endpoint over TLS from here. */
export function createDeskEmbedders(door: Door): Embedders {
  let sources: readonly EmbedderSource[] | undefined;

  /** As the server has them, with what the caller chose at this moment. */
  async function embeddersOf(pass: string): Promise<Embedders> {
    const given = await door.embeddings(pass);
    sources ??= sourcesOf(given);
    const models = { choice: async () => given.choice };
    return createEmbedders({ sources, models, scheduler: systemScheduler });
  }

  return {
    list: async () => [],
    select: async (pass, model) => await (await embeddersOf(pass)).select(pass, model),
    async close() {
      await Promise.all((sources ?? []).map((source) => source.close()));
    },
  };
}

function sourcesOf({ directory, endpoint, certificates }: EmbeddingsGiven): readonly EmbedderSource[] {
  const parts = { jail: { start: startHere }, clock: systemClock, scheduler: systemScheduler, events: QUIET };
  return [
    ...(endpoint === undefined
      ? []
      : [createEndpointEmbedder({ config: configOf(endpoint), dispatcher: wayOut(certificates) })]),
    ...(directory === undefined ? [] : [createEmbeddedEmbedder({ ...parts, directory })]),
  ];
}

const QUIET = { emit: () => undefined, dropped: () => 0 };
