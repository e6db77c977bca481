import type { Command } from 'commander';
import type { AimeeSite, AimeeSites, AimeeSnippet } from '../api.ts';
import { confirmed, connect, print, table, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';
import { addAimeeConversations } from './aimee-conversations.ts';
import { addAimeeRequests } from './aimee-requests.ts';
import { addAimeeKnowledge } from './aimee-knowledge.ts';
import { AIMEE, findSite, sitePath } from './aimee-words.ts';

/** Assistants on the account's own sites: settings, knowledge, what was said, and its end. */
export function addAimeeCommands(program: Command, context: Context): void {
  const aimee = program.command('aimee').description('assistants for visitors of your sites');
  addSites(aimee, context);
  addSnippet(aimee, context);
  addAimeeKnowledge(aimee, context);
  addAimeeConversations(aimee, context);
  addAimeeRequests(aimee, context);
}

function addSites(aimee: Command, context: Context): void {
  const sites = aimee.command('sites').description('which sites have an assistant');
  addList(sites, context);
  addCreate(sites, context);
  addSet(sites, context);
  addDelete(sites, context);
}

function addList(sites: Command, context: Context): void {
  const list = withJson(sites.command('list', { isDefault: true }))
    .description('list your sites')
    .action(async () => {
      const value = await connect(context, list).get<AimeeSites>(`${AIMEE}/sites`);
      const rows = value.sites.map(({ id, name, isOn, allowedOrigins, retentionDays }) => [
        id,
        name,
        isOn ? 'on' : 'off',
        allowedOrigins.length === 0 ? '(any page)' : allowedOrigins.join(' '),
        retentionDays === null ? 'until purged' : `${retentionDays} days`,
      ]);
      const none = 'You have none yet. Make one with "jellyfaas aimee sites create NAME --origin URL".';
      print(context, list, {
        value,
        lines: table(['SITE', 'NAME', 'IS', 'PAGES', 'KEPT'], rows, none),
      });
    });
}

interface CreateOptions {
  readonly origin: string[];
  readonly settings?: string;
}

function addCreate(sites: Command, context: Context): void {
  const create = withJson(sites.command('create'))
    .description('give a site an assistant')
    .argument('<name>', 'as visitors see it')
    .option(
      '--origin <url>',
      'pages that may embed it, as https://www.example.com; may be repeated',
      more,
      [],
    )
    .option('--settings <json>', 'everything else, for example \'{"language":"de","persona":"…"}\'')
    .action(async (name: string, { origin, settings }: CreateOptions) => {
      const body = { ...settingsOf(settings), name, allowedOrigins: origin };
      const value = await connect(context, create).send<AimeeSite>('POST', `${AIMEE}/sites`, body);
      const lines = [
        `${value.name} is there: ${value.id}`,
        `Tell it something: jellyfaas aimee knowledge add ${value.id} FILE…`,
        `Then paste this into your pages: jellyfaas aimee snippet ${value.id}`,
      ];
      print(context, create, { value, lines });
    });
}

function more(value: string, before: string[]): string[] {
  return [...before, value];
}

function addSet(sites: Command, context: Context): void {
  const set = withJson(sites.command('set'))
    .description('change settings of a site; they count from the next message on')
    .argument('<site>', 'id or name')
    .argument('<json>', 'what changes, for example \'{"retentionDays":30}\'; "-" reads it from stdin')
    .action(async (word: string, json: string) => {
      const api = connect(context, set);
      const { id, createdAt: _createdAt, ...settings } = await findSite(api, word);
      const text = json === '-' ? (await context.terminal.readInput()).toString('utf8') : json;
      const body = { ...settings, ...settingsOf(text) };
      const value = await api.send<AimeeSite>('PUT', sitePath(id), body);
      print(context, set, { value, lines: [`${value.name} is changed.`] });
    });
}

function settingsOf(json = '{}'): object {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  throw usageError('The settings are no JSON object. An example: \'{"language":"de","retentionDays":30}\'.');
}

function addDelete(sites: Command, context: Context): void {
  const remove = withJson(sites.command('delete'))
    .description('delete a site with its knowledge, conversations and statistics, for good')
    .argument('<site>', 'id or name')
    .option('-y, --yes', 'do not ask')
    .action(async (word: string, { yes }: { yes?: boolean }) => {
      const api = connect(context, remove);
      const { id, name } = await findSite(api, word);
      if (!(await confirmed(context, yes, `Destroy ${name} with all conversations? There is no way back.`)))
        return;
      const value = await api.send<{ receipt: string }>('DELETE', sitePath(id));
      print(context, remove, { value, lines: [`${name} is destroyed. The receipt:`, value.receipt] });
    });
}

function addSnippet(aimee: Command, context: Context): void {
  const snippet = withJson(aimee.command('snippet'))
    .description('print what to paste into the pages of a site')
    .argument('<site>', 'id or name')
    .option('--policy', 'the paragraphs for its privacy text instead')
    .action(async (word: string, { policy }: { policy?: boolean }) => {
      const api = connect(context, snippet);
      const { id } = await findSite(api, word);
      const value = await api.get<AimeeSnippet>(sitePath(id, '/snippet'));
      print(context, snippet, { value, lines: [policy === true ? value.policy.trimEnd() : value.html] });
    });
}
