import type { Command } from 'commander';
import type { CreatedEntity, Entities } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { CliError } from '../failure.ts';

/** The accounts of the installation; its owner only. */
export function addUserCommands(program: Command, context: Context): void {
  const user = program.command('user').description('accounts of this installation (owner only)');

  const list = withJson(user.command('list'))
    .description('list all accounts')
    .action(async () => {
      const value = await connect(context, list).get<Entities>('/core-service/v1/entity');
      const rows = value.entities.map(({ name, email, createdAt }) => [name, email, createdAt]);
      print(context, list, {
        value,
        lines: table(['NAME', 'E-MAIL', 'CREATED'], rows, 'There are no accounts.'),
      });
    });

  const create = withJson(user.command('create'))
    .description('create an account; prints its API key once')
    .requiredOption('-e, --email <email>', 'e-mail address')
    .requiredOption('-n, --name <name>', 'name')
    .action(async ({ email, name }: { email: string; name: string }) => {
      const api = connect(context, create);
      const value = await api.send<CreatedEntity>('POST', '/core-service/v1/entity', {
        type: 'user',
        name,
        email,
      });
      const lines = [`Created ${name} <${email}>. The API key, shown this once:`, value.password];
      print(context, create, { value, lines });
    });

  withJson(user.command('delete'))
    .description('delete an account')
    .requiredOption('-e, --email <email>', 'e-mail address')
    .action(() => {
      throw new CliError(
        'Nobody erases the account of somebody else unasked; nothing was changed. Its holder does with "jellyfaas rights erase", or asks you: "jellyfaas rights note erasure --email …".',
        {
          code: 'cli.unsupported',
        },
      );
    });
}
