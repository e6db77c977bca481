import type { Command } from 'commander';
import type { FunctionDetails, Library, Runtimes, Version } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';

/** What there is: library, exists, runtimes, and what happens to it: publish, withdraw, delete. */
export function addLibraryCommands(program: Command, context: Context): void {
  const library = withJson(program.command('library'))
    .description('list functions, or show one')
    .option('-d, --details <name>', 'show this function with its versions')
    .option('-r, --readme', 'with -d: show its readme')
    .allowExcessArguments()
    .action(async ({ details, readme }: { details?: string; readme?: boolean }) => {
      if (details !== undefined)
        return showFunction(context, library, { name: details, readme: readme === true });
      if (readme === true) throw usageError('A readme belongs to one function: add -d NAME.');
      return listLibrary(context, library);
    });

  const exists = withJson(program.command('exists'))
    .description('tell whether a shortname is taken')
    .requiredOption('-n, --name <name>', 'shortname')
    .action(async ({ name }: { name: string }) => {
      const path = `/core-service/v1/exists?name=${encodeURIComponent(name)}`;
      const value = await connect(context, exists).get<{ functionName: string; exists: boolean }>(path);
      print(context, exists, {
        value,
        lines: [`${value.functionName} ${value.exists ? 'exists' : 'does not exist'}.`],
      });
    });

  const runtimes = withJson(program.command('runtimes'))
    .description('list the runtimes of the server and what serves them')
    .action(async () => {
      const value = await connect(context, runtimes).get<Runtimes>('/api/v1/runtimes');
      const rows = value.runtimes.map(({ id, available, detail }) => [id, available ? 'yes' : 'no', detail]);
      print(context, runtimes, {
        value,
        lines: table(['RUNTIME', 'AVAILABLE', 'DETAIL'], rows, 'There are none.'),
      });
    });

  addVisibilityCommands(program, context);
  addDelete(program, context);
}

async function listLibrary(context: Context, command: Command): Promise<void> {
  const value = await connect(context, command).get<Library>('/core-service/v1/library');
  const rows = value.libraryItem.map((item) => [
    item.functionId,
    String(item.versions),
    item.published ? 'published' : 'private',
    item.owner,
    item.description,
  ]);
  const heading = ['FUNCTION', 'VERSIONS', 'VISIBLE', 'OWNER', 'DESCRIPTION'];
  const lines = table(heading, rows, 'There are no functions yet. Make one with "jellyfaas create".');
  if (value.badBuilds.length > 0)
    lines.push(`${value.badBuilds.length} bad build(s): see "jellyfaas builds list".`);
  print(context, command, { value, lines });
}

async function showFunction(
  context: Context,
  command: Command,
  { name, readme }: { name: string; readme: boolean },
): Promise<void> {
  const api = connect(context, command);
  const value = await api.get<FunctionDetails>(`/core-service/v1/library/${encodeURIComponent(name)}`);
  const latest = value.versions.find((version) => version.latest);
  const text = Buffer.from(latest?.readmeFile ?? '', 'base64').toString('utf8');
  const lines = readme
    ? [text === '' ? `${value.functionId} has no readme.` : text]
    : [
        `${value.name} (${value.functionId}), ${value.published ? 'published' : 'private'}, by ${value.owner}`,
        ...(latest?.description ? [latest.description] : []),
        ...(value.tags.length > 0 ? [`Tags: ${value.tags.join(', ')}`] : []),
        ...value.versions.flatMap((version) => describeVersion(version, api.url)),
      ];
  print(context, command, { value: readme ? { functionId: value.functionId, readme: text } : value, lines });
}

function describeVersion(version: Version, url: string): string[] {
  const { requirements } = version;
  const query = requirements.queryParams
    .map(({ name, required }) => (required ? name : `[${name}]`))
    .join(', ');
  return [
    '',
    `Version ${version.version}${version.latest ? ' (latest)' : ''}, ${version.releaseDate}, ${version.runtimeDetail}`,
    `  ${requirements.requestType}, query: ${query || 'none'}, takes ${requirements.inputType}, answers ${requirements.outputType}`,
    `  network: ${version.egress.length === 0 ? 'none' : version.egress.join(', ')}`,
    ...version.sizes.map(({ size, functionId }) => `  size ${size}: ${url}/${functionId}`),
  ];
}

function addVisibilityCommands(program: Command, context: Context): void {
  const publish = withJson(program.command('publish'))
    .description('make a function callable by every account')
    .argument('[name]', 'shortname')
    .option('-i, --id <name>', 'shortname, as the public command line names it')
    .option('-s, --size <size>', 'accepted for compatibility: all sizes are published')
    .action((name: string | undefined, { id }: { id?: string }) =>
      setVisibility(context, publish, name ?? id),
    );

  const withdraw = withJson(program.command('withdraw'))
    .description('make a function private again')
    .argument('[name]', 'shortname')
    .option('-i, --id <name>', 'shortname')
    .action((name: string | undefined, { id }: { id?: string }) =>
      setVisibility(context, withdraw, name ?? id),
    );
}

async function setVisibility(context: Context, command: Command, name: string | undefined): Promise<void> {
  if (name === undefined) throw usageError(`Name the function: jellyfaas ${command.name()} NAME.`);
  const path = `/core-service/v1/library/${command.name()}/${encodeURIComponent(name)}`;
  const value = await connect(context, command).send<FunctionDetails>('PUT', path);
  const lines = [
    `${value.functionId} is ${value.published ? 'published: every account can call it' : 'private'}.`,
  ];
  print(context, command, { value, lines });
}

function addDelete(program: Command, context: Context): void {
  const remove = withJson(program.command('delete'))
    .description('delete a function or one version, for good')
    .argument('<name>', 'shortname')
    .option('--version <number>', 'only this version')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, { version, yes }: { version?: string; yes?: boolean }) => {
      const api = connect(context, remove);
      const what = version === undefined ? `${name} with all its versions` : `version ${version} of ${name}`;
      const { terminal } = context;
      if (
        terminal.interactive &&
        yes !== true &&
        !(await terminal.confirm(`Delete ${what}? There is no way back.`))
      ) {
        terminal.note('Nothing was deleted.');
        return;
      }
      const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
      await api.send('DELETE', `/api/v1/functions/${encodeURIComponent(name)}${query}`);
      print(context, remove, {
        value: { name, version: version ?? null, deleted: true },
        lines: [`Deleted ${what}.`],
      });
    });
}
