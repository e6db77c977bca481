import * as z from 'zod';
import type { Holder } from '../accounts/principal.ts';
import type { Databases } from '../databases/databases.ts';
import type { Embedder, Embedders } from '../embeddings/embedder.ts';
import { rfc3339 } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import { runs } from '../kernel/runs.ts';
import type { Copier, PackFile, PackWriter } from '../rights/copier.ts';
import { CONTENTS, type Content, contentsOf, takeContents } from './copied-contents.ts';
import { settingsOf, vectorDatabase, withDatabase } from './databases.ts';
import type { VectorEngine } from './engine/vector-engine.ts';

const DatabaseOf = z.strictObject({
  name: z.string().max(64),
  kind: z.enum(['sealed', 'strict']),
  metric: z.enum(['cosine', 'dot', 'euclidean']),
  dimensions: z.int(),
  model: z.string().nullable(),
  resolver: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
type DatabaseOf = z.infer<typeof DatabaseOf>;
const DATABASES: PackFile<DatabaseOf> = {
  name: 'databases',
  title: 'Vector databases',
  nature: 'given',
  row: DatabaseOf,
};

export interface VectorsCopierOptions {
  readonly databases: Pick<Databases, 'list' | 'open' | 'create'>;
  readonly engine: VectorEngine;
  readonly embedders: Pick<Embedders, 'select'>;
}

/**
 * Vector databases. Vectors that a model made are derived: they stay, and are made again from the texts, by the same model
 * or by the one that is there.
 */
export function createVectorsCopier({ databases, engine, embedders }: VectorsCopierOptions): Copier {
  async function* settings(holder: Holder): AsyncGenerator<DatabaseOf> {
    for (const database of await databases.list(holder, 'vector')) {
      const { createdAt, ...row } = vectorDatabase(database);
      yield { ...row, createdAt: rfc3339(createdAt) };
    }
  }

  async function* contentsIn(holder: Holder, name: string): AsyncGenerator<Content> {
    const { database, file } = await databases.open(holder, 'vector', name);
    const hasModel = vectorDatabase(database).model !== null;
    try {
      yield* contentsOf(engine, { base: name, file, hasModel });
    } finally {
      file.key.fill(0);
    }
  }

  async function* contents(holder: Holder, writer: PackWriter): AsyncGenerator<Content> {
    for (const { name } of await databases.list(holder, 'vector')) {
      try {
        yield* contentsIn(holder, name);
      } catch (thrown) {
        writer.missing(CONTENTS, name, thrown);
      }
    }
  }

  async function create(holder: Holder, row: DatabaseOf): Promise<Embedder | undefined> {
    const { name, kind, metric, resolver } = row;
    const embedder = row.model === null ? undefined : await embedderFor(embedders, holder, row.model);
    const settings = {
      kind,
      metric,
      model: embedder?.model ?? null,
      dimensions: embedder?.dimensions ?? row.dimensions,
    };
    const form = { kind: 'vector', name, settings: settingsOf({ ...settings, resolver }) } as const;
    await databases.create(holder, form, (file) => engine.create(file, settings));
    return embedder;
  }

  return {
    area: 'vectors',
    files: [DATABASES, CONTENTS],
    async exportTo(holder, writer) {
      await writer.rows(DATABASES, settings(holder));
      await writer.rows(CONTENTS, contents(holder, writer));
    },
    async importFrom(holder, reader, outcome) {
      const made = new Map<string, Embedder | undefined>();
      for await (const row of reader.rows(DATABASES)) {
        try {
          made.set(row.name, await create(holder, row));
          outcome.taken('vector database');
        } catch (thrown) {
          outcome.left('vector database', row.name, thrown);
        }
      }
      for await (const { key: base, items } of runs(reader.rows(CONTENTS), (content) => content.base)) {
        if (!made.has(base)) continue;
        const embedder = made.get(base);
        const isWhole = !reader.lacks(CONTENTS, base);
        await withDatabase(databases, holder, base, ({ file }) =>
          takeContents(
            { engine, accountId: holder.accountId, to: { base, file, embedder, isWhole } },
            items,
            outcome,
          ),
        );
      }
    },
  };
}

/** The model that it was made with, or the one that is there. */
async function embedderFor(
  embedders: Pick<Embedders, 'select'>,
  { accountId }: Pick<Holder, 'accountId'>,
  model: string,
): Promise<Embedder> {
  try {
    return await embedders.select(accountId, model);
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    return await embedders.select(accountId, undefined);
  }
}
