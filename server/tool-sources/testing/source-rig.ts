import { randomBytes } from 'node:crypto';
import type { Holder } from '../../accounts/principal.ts';
import { ALICE, type QueryRig, createQueryRig } from '../../ai/testing/query-rig.ts';
import type { AccountId } from '../../kernel/ids.ts';
import { systemScheduler } from '../../kernel/scheduler.ts';
import { Secret } from '../../kernel/secret.ts';
import { hostNetwork } from '../../sandbox/egress-guard.ts';
import { type OutsideServer, type OutsideTool, startOutsideServer } from '../../../testkit/index.ts';
import { type ToolSourcesOptions, createToolSources } from '../create-tool-sources.ts';
import type { StoredSource } from '../source-store.ts';
import type { ToolSources } from '../tool-sources.ts';

export interface SourceRig {
  readonly sources: ToolSources;
  readonly rows: Map<string, StoredSource>;
  /** Codes of refused addresses. */
  readonly refusals: unknown[];
  /** Questions of Alice, whose sources these are. */
  readonly questions: QueryRig;
}

export const alice: Holder = holderOf(ALICE.accountId);
export const NEVER = new AbortController().signal;

export function holderOf(accountId: AccountId): Holder {
  return { accountId, accountKey: new Secret(new Uint8Array(randomBytes(32))) };
}

/** Sources as they are over rows in memory; only other people's servers are ours. */
export function createSourceRig(over: Partial<ToolSourcesOptions> = {}): SourceRig {
  const rows = new Map<string, StoredSource>();
  const refusals: unknown[] = [];
  const sources = createToolSources({
    store: {
      list: async (accountId) => [...rows.values()].filter((row) => row.accountId === accountId),
      put: async (row) => void rows.set(row.id, row),
      remove: async (id) => void rows.delete(id),
    },
    allowedHosts: ['127.0.0.1'],
    network: hostNetwork,
    scheduler: systemScheduler,
    events: { emit: (_name, fields) => void refusals.push(Object.values(fields ?? {})[0]) },
    ...over,
  });
  const questions = createQueryRig();
  questions.sources = sources;
  return { sources, rows, refusals, questions };
}

export const forecast: OutsideTool = {
  name: 'forecast',
  description: 'Tells the weather of a city.',
  inputSchema: {
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  answer: ({ city }) => ({ content: [{ type: 'text', text: `Rain in ${String(city)}.` }] }),
};

/** A server as the source `weather`, with everything approved that it offers now. */
export async function approvedServer(
  { sources }: Pick<SourceRig, 'sources'>,
  tools: readonly OutsideTool[] = [forecast],
  options: Parameters<typeof startOutsideServer>[1] = {},
): Promise<OutsideServer> {
  const server = await startOutsideServer(tools, options);
  await sources.add(alice, { name: 'weather', url: server.url, token: undefined });
  await approveAll(sources);
  return server;
}

export async function approveAll(sources: ToolSources): Promise<void> {
  const { tools } = await sources.inspect(alice, 'weather', NEVER);
  await sources.approve(
    alice,
    'weather',
    Object.fromEntries(tools.map(({ name, sha256 }) => [name, sha256])),
  );
}
