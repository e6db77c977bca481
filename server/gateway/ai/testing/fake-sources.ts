import type { AccountId } from '../../../kernel/ids.ts';
import { notFound } from '../../../kernel/errors.ts';
import { owner } from '../../testing/fakes.ts';
import type { InspectedTool, ToolSource } from '../../../tool-sources/tool-sources.ts';
import type { AiParts } from '../serve-ai.ts';

export const FORECAST: InspectedTool = {
  name: 'forecast',
  description: 'Tells the weather.',
  inputSchema: { type: 'object' },
  sha256: 'a'.repeat(64),
  state: 'new',
  fault: undefined,
};

/** Sources of each account in memory; every server has one tool, and the owner has a source from the start. */
export function fakeSources(): AiParts['sources'] {
  const first = { name: 'manuals', recipient: 'https://mcp.example.org', hasToken: false, approved: {} };
  const owned = new Map<AccountId, Map<string, ToolSource>>([
    [owner.accountId, new Map([[first.name, first]])],
  ]);
  const own = (accountId: AccountId): Map<string, ToolSource> => {
    const sources = owned.get(accountId) ?? new Map<string, ToolSource>();
    owned.set(accountId, sources);
    return sources;
  };
  const find = (accountId: AccountId, name: string): ToolSource => {
    const source = own(accountId).get(name);
    if (source === undefined) throw notFound('source');
    return source;
  };
  const put = (accountId: AccountId, source: ToolSource): ToolSource => {
    own(accountId).set(source.name, source);
    return source;
  };
  return {
    list: async ({ accountId }) => [...own(accountId).values()],
    add: async ({ accountId }, { name, url, token }) =>
      put(accountId, { name, recipient: new URL(url).origin, hasToken: token !== undefined, approved: {} }),
    inspect: async ({ accountId }, name) => ({ ...find(accountId, name), tools: [FORECAST] }),
    approve: async ({ accountId }, name, approved) => put(accountId, { ...find(accountId, name), approved }),
    remove: async ({ accountId }, name) => void own(accountId).delete(find(accountId, name).name),
  };
}
