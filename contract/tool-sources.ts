import * as z from 'zod';
import type { Route } from './route.ts';

/**
 * Outside MCP servers whose tools questions may use. A server gets what a model passes to its tools, so each tool is
 * approved by its definition first: `sha256` stands for name, description and schemas as they were shown.
 */

/** Models see tools as `<source>__<tool>`. */
export const SourceName = z
  .string()
  .regex(/^[a-z0-9-]{1,20}$/)
  .describe('1 to 20 of a-z, 0-9 and "-"');
/** Most tools of a source that can be approved. */
const APPROVED_MAX = 64;

const ToolName = z.string().regex(/^[\w-]{1,62}$/);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Approved = z.array(z.strictObject({ name: ToolName, sha256: Sha256 })).max(APPROVED_MAX);

export const ToolSource = z.object({
  name: z.string(),
  recipient: z
    .string()
    .describe('Origin of the server, outside this installation, that gets the arguments of its tools'),
  hasToken: z.boolean(),
  approved: Approved.describe('What may be offered to models, as long as it does not change'),
});
export type ToolSource = z.infer<typeof ToolSource>;

export const ToolSources = z.object({ sources: z.array(ToolSource) });

export const InspectedSource = ToolSource.extend({
  tools: z.array(
    z.object({
      name: z.string(),
      description: z.string().describe('In words of the server: to be read, not to be believed'),
      inputSchema: z.unknown(),
      sha256: Sha256,
      state: z.enum(['approved', 'changed', 'new']),
      fault: z.string().optional().describe('Why it cannot be offered to models, approved or not'),
    }),
  ),
});
export type InspectedSource = z.infer<typeof InspectedSource>;

const NamedSource = z.object({ name: SourceName });

export const sourceRoutes = {
  listToolSources: {
    method: 'GET',
    path: '/api/v1/ai/sources',
    summary: 'Outside MCP servers of the account, and who gets what; connects to none',
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: ToolSources },
    errors: [401, 403],
  },
  addToolSource: {
    method: 'POST',
    path: '/api/v1/ai/sources',
    summary: 'Add an outside MCP server; none of its tools is offered before it is approved',
    access: 'key',
    body: z.strictObject({
      name: SourceName,
      url: z.string().max(2048).describe('Streamable HTTP endpoint, https; sealed under the account key'),
      token: z
        .string()
        .regex(/^[\x21-\x7e]{1,4096}$/)
        .optional()
        .describe('Bearer token; sealed likewise and never shown'),
    }),
    success: { status: 201, content: 'json', schema: ToolSource },
    errors: [400, 401, 409, 413, 415, 429],
  },
  inspectToolSource: {
    method: 'GET',
    path: '/api/v1/ai/sources/{name}',
    summary: 'Ask the server for its tools, and show which of them are approved as they are now',
    access: 'keyOrToken',
    params: NamedSource,
    success: { status: 200, content: 'json', schema: InspectedSource },
    errors: [400, 401, 403, 404, 409, 429, 502, 504],
  },
  approveTools: {
    method: 'PUT',
    path: '/api/v1/ai/sources/{name}/approved',
    summary: 'Approve exactly these definitions, as they were shown, and no others',
    access: 'key',
    params: NamedSource,
    body: z.strictObject({ approved: Approved }),
    success: { status: 200, content: 'json', schema: ToolSource },
    errors: [400, 401, 404, 413, 415],
  },
  removeToolSource: {
    method: 'DELETE',
    path: '/api/v1/ai/sources/{name}',
    summary: 'Remove an outside MCP server with its token and approvals',
    access: 'key',
    params: NamedSource,
    success: { status: 204, content: 'none' },
    errors: [400, 401, 404],
  },
} as const satisfies Record<string, Route>;
