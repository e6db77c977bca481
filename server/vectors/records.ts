import type { Holder } from '../accounts/principal.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import type { OpenedVectors } from './databases.ts';
import type { VectorRecord } from './engine/vector-engine.ts';
import { vectorErrors } from './errors.ts';
import type { NewRecord } from './vectors.ts';

/** Records as the engine takes them: a database with a model embeds texts, one without takes vectors as they are. */
export async function recordsOf(
  embedders: Pick<Embedders, 'select'>,
  {
    opened,
    records,
    holder,
    signal,
  }: {
    readonly opened: OpenedVectors;
    readonly records: readonly NewRecord[];
    readonly holder: Holder;
    readonly signal: AbortSignal;
  },
): Promise<VectorRecord[]> {
  const { model, kind } = opened.database;
  const vectors = model === null ? records.map(givenVector) : await embedded(model);

  async function embedded(identity: string): Promise<Float32Array[]> {
    const texts = records.map(givenText);
    const embedder = await embedders.select(holder.accountId, identity);
    return await embedder.embed({ accountId: holder.accountId, texts, purpose: 'passage', signal });
  }

  return records.map(({ id, metadata, text }, at) => ({
    id,
    vector: vectors[at] ?? new Float32Array(),
    ...(metadata !== undefined && { metadata }),
    // A strict database keeps no text, not even a record's.
    ...(text !== undefined && kind === 'sealed' && { text }),
  }));
}

function givenVector({ vector }: NewRecord): Float32Array {
  if (vector === undefined) throw vectorErrors.noModel();
  return Float32Array.from(vector);
}

function givenText({ text, vector }: NewRecord): string {
  if (text === undefined || vector !== undefined) throw vectorErrors.modelEmbeds();
  return text;
}
