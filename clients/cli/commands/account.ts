import type { Command } from 'commander';
import { Api, type ApiKeys, type CreatedApiKey, type Me, type ValidatedKey } from '../api.ts';
import { connect, print, settingsOf, table, withJson, type Context } from '../context.ts';
import { checkKeyForm, keyFilePath, saveSettings } from '../settings.ts';

/** Who I am and with which keys: login, secret, token, whoami, keys. */
export function addAccountCommands(program: Command, context: Context): void {
  const login = withJson(program.command('login'))
    .description('check an API key against a server and remember both')
    .option('--key <key>', 'the key; better leave it out and type or pipe it, others can see arguments')
    .action((options: { key?: string }) => runLogin(context, login, options.key));

  const secret = withJson(program.command('secret'))
    .alias('apikey')
    .description('remember an API key without checking it')
    .action(async () => {
      const { url } = settingsOf(context, secret);
      const apiKey = checkKeyForm(await context.terminal.askSecret('API key: '));
      saveSettings(context.home, { url, apiKey });
      const lines = [`Saved in ${keyFilePath(context.home)}.`];
      print(context, secret, { value: { url, saved: true }, lines });
    });

  const token = withJson(program.command('token'))
    .description('print a token (JFWT) to call functions with')
    .action(async () => {
      const value = await connect(context, token).get<ValidatedKey>('/auth-service/v1/validate');
      print(context, token, { value, lines: [`Token:  ${value.token}`, `Expiry: ${value.expiry}`] });
    });

  const whoami = withJson(program.command('whoami'))
    .description('show everything that the server stores of you')
    .action(async () => {
      const api = connect(context, whoami);
      const value = await api.get<Me>('/api/v1/me');
      const lines = Object.entries({ ...value, server: api.url }).map(([name, text]) => `${name}: ${text}`);
      print(context, whoami, { value, lines });
    });

  addKeyCommands(program, context);
}

async function runLogin(context: Context, command: Command, keyOption: string | undefined): Promise<void> {
  const { url } = settingsOf(context, command);
  const apiKey = checkKeyForm(keyOption ?? (await context.terminal.askSecret(`API key for ${url}: `)));
  const { hostname, protocol } = new URL(url);
  if (protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) {
    context.terminal.note(
      `Warning: the connection to ${url} is not encrypted. Use https for anything but trials.`,
    );
  }
  await new Api({ url, apiKey }).get<ValidatedKey>('/auth-service/v1/validate');
  saveSettings(context.home, { url, apiKey });
  const lines = [`Logged in to ${url}. The key is in ${keyFilePath(context.home)}, readable by you only.`];
  print(context, command, { value: { url, loggedIn: true }, lines });
}

function addKeyCommands(program: Command, context: Context): void {
  const keys = program.command('keys').description('your API keys');

  const list = withJson(keys.command('list'))
    .description('list your keys (the keys themselves are not stored)')
    .action(async () => {
      const value = await connect(context, list).get<ApiKeys>('/api/v1/api-keys');
      const rows = value.apiKeys.map(({ id, createdAt, current }) => [
        id,
        createdAt,
        current ? 'this one' : '',
      ]);
      print(context, list, { value, lines: table(['ID', 'CREATED', ''], rows, 'There are no keys.') });
    });

  const create = withJson(keys.command('create'))
    .description('create a further key')
    .action(async () => {
      const value = await connect(context, create).send<CreatedApiKey>('POST', '/api/v1/api-keys');
      const lines = [`Key ${value.id}, shown this once:`, value.apiKey];
      print(context, create, { value, lines });
    });

  const revoke = withJson(keys.command('revoke'))
    .description('revoke a key and all tokens made with it, at once')
    .argument('<id>', 'from "keys list"')
    .action(async (id: string) => {
      await connect(context, revoke).send('DELETE', `/api/v1/api-keys/${encodeURIComponent(id)}`);
      print(context, revoke, { value: { id, revoked: true }, lines: [`Revoked ${id}.`] });
    });
}
