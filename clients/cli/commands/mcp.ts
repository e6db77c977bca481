import type { Command } from 'commander';
import type { InspectedSource, ToolSource, ToolSources } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { CliError, usageError } from '../failure.ts';

const PATH = '/api/v1/ai/sources';
const pathOf = (name: string): string => `${PATH}/${encodeURIComponent(name)}`;
const RECIPIENTS = 'What a model passes to a tool goes to the server named here, outside this installation.';

/** Outside MCP servers whose tools questions may use. */
export function addMcpCommands(program: Command, context: Context): void {
  const mcp = program.command('mcp').description('use tools of outside MCP servers in questions');
  addManaging(mcp, context);
  addApproving(mcp, context);
}

function addManaging(mcp: Command, context: Context): void {
  const add = withJson(mcp.command('add'))
    .description('add a server; none of its tools is offered before "mcp approve"')
    .argument('<name>', '1 to 20 of a-z, 0-9 and "-"')
    .argument('<url>', 'its endpoint, https')
    .option('--token', 'ask for the bearer token that it wants, or read it from a pipe')
    .action(async (name: string, url: string, options: { token?: true }) => {
      const api = connect(context, add);
      const token = options.token && (await context.terminal.askSecret(`Token for ${name}: `));
      const value = await api.send<ToolSource>('POST', PATH, { name, url, ...(token && { token }) });
      print(context, add, {
        value,
        lines: [
          `Added ${value.name}. Read and approve its tools with "jellyfaas mcp approve ${value.name}".`,
        ],
      });
    });

  const list = withJson(mcp.command('list'))
    .description('list your servers, and who gets what tools are called with')
    .action(async () => {
      const value = await connect(context, list).get<ToolSources>(PATH);
      const rows = value.sources.map(({ name, recipient, hasToken, approved }) => [
        name,
        recipient,
        hasToken ? 'yes' : 'no',
        approved.map((tool) => tool.name).join(', ') || 'none',
      ]);
      const lines = table(['NAME', 'RECIPIENT', 'TOKEN', 'APPROVED'], rows, 'There are none.');
      print(context, list, { value, lines: rows.length === 0 ? lines : [...lines, RECIPIENTS] });
    });

  const remove = withJson(mcp.command('remove'))
    .description('forget a server with its token and approvals')
    .argument('<name>', 'as listed')
    .action(async (name: string) => {
      await connect(context, remove).send('DELETE', pathOf(name));
      print(context, remove, { value: { name, removed: true }, lines: [`Removed ${name}.`] });
    });
}

interface ApproveOptions {
  readonly tool: readonly string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

function addApproving(mcp: Command, context: Context): void {
  const collect = (name: string, previous: readonly string[]) => [...previous, name];
  const approve = withJson(mcp.command('approve'))
    .description('read what the tools of a server are now, and let models call exactly those')
    .argument('<name>', 'as listed')
    .option('--tool <name>', 'this one only; may be repeated', collect, [])
    .option('-y, --yes', 'do not ask: you have read them')
    .action(async (name: string, options: ApproveOptions) => {
      const { terminal } = context;
      const api = connect(context, approve);
      const source = await api.get<InspectedSource>(pathOf(name));
      const chosen = choose(source, options.tool);
      if (options.json !== true) for (const line of describe(source)) terminal.note(line);
      const names = chosen.map((tool) => tool.name).join(', ');
      if (options.yes !== true && !terminal.interactive)
        throw usageError('Read the tools above, then add --yes, with --tool for those that you want.');
      const question = `Let models call ${names}, and send what they pass to ${source.recipient}?`;
      if (options.yes !== true && !(await terminal.confirm(question))) {
        terminal.note('Nothing was approved.');
        return;
      }
      const approved = chosen.map(({ name: tool, sha256 }) => ({ name: tool, sha256 }));
      const value = await api.send<ToolSource>('PUT', `${pathOf(name)}/approved`, { approved });
      print(context, approve, { value, lines: [`Approved of ${name}: ${names}.`] });
    });
}

type InspectedTool = InspectedSource['tools'][number];

/** Those that were named, or all that models can be offered. */
function choose({ name, tools }: InspectedSource, wanted: readonly string[]): InspectedTool[] {
  const usable = tools.filter(({ fault }) => fault === undefined);
  const unknown = wanted.find((tool) => !usable.some((one) => one.name === tool));
  if (unknown !== undefined) throw usageError(`${name} has no usable tool ${unknown}.`);
  const chosen = wanted.length === 0 ? usable : usable.filter((tool) => wanted.includes(tool.name));
  if (chosen.length === 0) throw new CliError(`${name} has no tool that could be offered to a model.`);
  return chosen;
}

function describe({ name, recipient, tools }: InspectedSource): string[] {
  const lines = [`Tools of ${name} (${recipient}), in its own words; they may not be true:`, ''];
  for (const { name: tool, state, description, inputSchema, fault } of tools) {
    lines.push(`${tool} (${fault === undefined ? state : `cannot be offered: ${fault}`})`);
    lines.push(...description.split('\n').map((line) => `  ${line}`));
    lines.push(`  ${JSON.stringify(inputSchema)}`, '');
  }
  return lines;
}
