import { hash, randomBytes } from 'node:crypto';
import type { EmbedRequest, Embedder, Embedders } from '../embeddings/embedder.ts';
import { LruMap } from '../kernel/lru-map.ts';

/**
 * Embedders that remember the vectors of passages: many visitors ask for the same few pages, whose sentences are weighed
 * each time. What is remembered is numbers, in memory, under a keyed hash of account, model and text whose key goes with
 * the process; what visitors ask is not remembered.
 */
export function rememberPassages(
  embedders: Pick<Embedders, 'select'>,
  vectorsMax: number,
): Pick<Embedders, 'select'> {
  const salt = randomBytes(32).toString('base64');
  const vectors = new LruMap<string, Float32Array>(vectorsMax);

  async function embed(embedder: Embedder, request: EmbedRequest): Promise<Float32Array[]> {
    if (request.purpose === 'query') return await embedder.embed(request);
    const { accountId, texts } = request;
    const keys = texts.map((text) =>
      hash('sha256', `${salt}\n${accountId}\n${embedder.model}\n${text}`, 'base64'),
    );
    const known = keys.map((key) => vectors.get(key));
    const unknown = texts.filter((_, at) => known[at] === undefined);
    const fresh = unknown.length === 0 ? [] : await embedder.embed({ ...request, texts: unknown });
    const made = fresh.values();
    return keys.map((key, at) => {
      const vector = known[at] ?? made.next().value ?? new Float32Array();
      vectors.set(key, vector);
      return vector;
    });
  }

  return {
    async select(accountId, model) {
      const embedder = await embedders.select(accountId, model);
      return { ...embedder, embed: (request) => embed(embedder, request) };
    },
  };
}
