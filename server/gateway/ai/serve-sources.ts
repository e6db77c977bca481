import type { FastifyInstance } from 'fastify';
import { type InspectedSource, type ToolSource, sourceRoutes as routes } from '../../../contract/index.ts';
import type * as port from '../../tool-sources/tool-sources.ts';
import { goneSignal } from '../control/answer-stream.ts';
import { bind } from '../control/bind.ts';
import type { Slots } from '../control/slots.ts';
import type { AiOptions } from './serve-ai.ts';

/** Outside MCP servers of an account. `slots` are those of questions: both make the platform connect to somewhere. */
export function serveSources(app: FastifyInstance, { accounts, ai }: AiOptions, slots: Slots): void {
  const { sources } = ai;
  bind(app, accounts, routes.listToolSources, async ({ unlock }) => ({
    sources: (await sources.list(await unlock())).map(shown),
  }));
  bind(app, accounts, routes.addToolSource, async ({ unlock, body: { name, url, token } }) =>
    shown(await sources.add(await unlock(), { name, url, token })),
  );
  bind(app, accounts, routes.inspectToolSource, async ({ unlock, principal, params, reply }) => {
    const release = slots.take(principal.accountId);
    try {
      const source = await sources.inspect(await unlock(), params.name, goneSignal(reply));
      return { ...shown(source), tools: source.tools.map(shownTool) };
    } finally {
      release();
    }
  });
  bind(app, accounts, routes.approveTools, async ({ unlock, params, body }) => {
    const approved = Object.fromEntries(body.approved.map(({ name, sha256 }) => [name, sha256]));
    return shown(await sources.approve(await unlock(), params.name, approved));
  });
  bind(app, accounts, routes.removeToolSource, async ({ unlock, params }) =>
    sources.remove(await unlock(), params.name),
  );
}

function shown({ name, recipient, hasToken, approved }: port.ToolSource): ToolSource {
  const tools = Object.entries(approved).map(([tool, sha256]) => ({ name: tool, sha256 }));
  return { name, recipient, hasToken, approved: tools };
}

function shownTool({ fault, ...tool }: port.InspectedTool): InspectedSource['tools'][number] {
  return fault === undefined ? tool : { ...tool, fault };
}
