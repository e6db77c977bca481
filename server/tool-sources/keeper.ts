import type { Keeper } from '../rights/keepers.ts';
import type { SourceStore } from './source-store.ts';

export function createToolSourcesKeeper(store: Pick<SourceStore, 'list' | 'remove'>): Keeper {
  return {
    area: 'tool-sources',
    tables: ['accounts.tool_source'],
    async erase(accountId) {
      for (const { id } of await store.list(accountId)) await store.remove(id);
    },
  };
}
