import type { Command } from 'commander';
import type { AiChoice, AiModels, Api, PullEvent } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { CliError, usageError } from '../failure.ts';
import { progressBar } from '../terminal.ts';

/** The models that questions are put to. */
export function addModelCommands(program: Command, context: Context): void {
  const model = program.command('model').description('see and choose the model that answers questions');

  const list = withJson(model.command('list'))
    .description('list the models of the server')
    .action(async () => {
      const api = connect(context, list);
      const { models } = await api.get<AiModels>('/api/v1/ai/models');
      const { platform: chosen } = await api.get<AiChoice>('/api/v1/ai/choice');
      const rows = models.map(({ platform, model: name, isOutside, retention }) => [
        platform,
        name,
        isOutside ? 'outside' : 'here',
        retention === 'none' ? 'nothing' : "provider's terms",
        platform === chosen ? 'yes' : '',
      ]);
      const heading = ['PLATFORM', 'MODEL', 'RUNS', 'KEEPS', 'CHOSEN'];
      const none = 'There are none. Get one with "jellyfaas model pull", or have the operator configure one.';
      print(context, list, { value: { models, chosen }, lines: table(heading, rows, none) });
    });

  const pull = withJson(model.command('pull'))
    .description('as the owner: fetch the configured models; one that was interrupted goes on')
    .argument('[name]', 'one of them')
    .action(async (name: string | undefined) => {
      const fetched = await follow(context, connect(context, pull), name);
      const value = { models: fetched.map(({ name: model, bytes }) => ({ name: model, bytes })) };
      const lines = fetched.map(({ name: model, bytes }) => `${model} is here: ${mebibytes(bytes)}.`);
      print(context, pull, { value, lines });
    });

  const use = withJson(model.command('use'))
    .description('choose the model of your questions; an outside one gets to see them')
    .argument('[platform]', 'as listed')
    .option('--default', 'take the choice back')
    .action(async (platform: string | undefined, options: { default?: boolean }) => {
      if ((platform === undefined) !== (options.default === true)) {
        throw usageError('Name a platform of "jellyfaas model list", or give --default.');
      }
      const body = platform === undefined ? {} : { platform };
      const value = await connect(context, use).send<AiChoice>('PUT', '/api/v1/ai/choice', body);
      const said = value.platform === undefined ? "the server's default" : value.platform;
      print(context, use, { value, lines: [`Your questions go to ${said}.`] });
    });
}

type PullProgress = Extract<PullEvent, { type: 'progress' }>;

/** Shows how far the server is; ends when all is in place, with the last of each that was fetched. */
async function follow({ terminal }: Context, api: Api, name: string | undefined): Promise<PullProgress[]> {
  const fetched = new Map<string, PullProgress>();
  const body = name === undefined ? {} : { name };
  for await (const event of api.events<PullEvent>('/api/v1/models/pull', { body })) {
    if (event.type === 'error') throw new CliError(event.detail, { code: event.code });
    if (event.type === 'done') {
      terminal.status('');
      return [...fetched.values()];
    }
    fetched.set(event.name, event);
    terminal.status(shown(event));
  }
  throw new CliError('The server ended the stream. Run the command again: it goes on where it was.');
}

function shown({ name, bytes, totalBytes }: PullProgress): string {
  if (totalBytes === null || totalBytes === 0) return `${name} ${mebibytes(bytes)}`;
  const share = bytes / totalBytes;
  return `${name} ${progressBar(share)} ${Math.floor(Math.min(1, share) * 100)} % of ${mebibytes(totalBytes)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
