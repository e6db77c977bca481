import type { Holder } from '../accounts/principal.ts';
import * as z from 'zod';
import type { Copier, PackFile, PackWriter } from '../rights/copier.ts';
import { openSource } from './sealed-source.ts';
import type { SourceStore } from './source-store.ts';
import type { ToolSources } from './tool-sources.ts';

const Source = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,20}$/),
  url: z.string().max(2048),
  /** SHA-256 of definitions, by the tool's name. */
  approved: z.record(z.string(), z.string()),
});
const SOURCES: PackFile<z.infer<typeof Source>> = {
  name: 'tool-sources',
  title: 'Outside MCP servers whose tools questions may use; their tokens are left out',
  nature: 'given',
  row: Source,
};

/** Taken over, a source offers nothing until its tools are approved there. */
export function createToolSourcesCopier(
  store: Pick<SourceStore, 'list'>,
  sources: Pick<ToolSources, 'add'>,
): Copier {
  return {
    area: 'tool-sources',
    files: [SOURCES],
    async exportTo(holder, writer) {
      await writer.rows(SOURCES, sourcesOf(store, holder, writer));
    },
    async importFrom(holder, reader, outcome) {
      for await (const { name, url } of reader.rows(SOURCES)) {
        try {
          await sources.add(holder, { name, url, token: undefined });
          outcome.taken('tool source');
        } catch (thrown) {
          outcome.left('tool source', name, thrown);
        }
      }
    },
  };
}

async function* sourcesOf(
  store: Pick<SourceStore, 'list'>,
  holder: Holder,
  writer: PackWriter,
): AsyncGenerator<z.infer<typeof Source>> {
  for (const row of await store.list(holder.accountId)) {
    try {
      const { name, url, approved } = openSource(holder, row);
      yield { name, url, approved: { ...approved } };
    } catch (thrown) {
      writer.missing(SOURCES, row.id, thrown);
    }
  }
}
