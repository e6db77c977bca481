import type { Command } from 'commander';
import type { AiChoice, AiModels } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';

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
