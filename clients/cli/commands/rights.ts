import type { Command } from 'commander';
import type {
  AccountErased,
  Api,
  CarriedOut,
  Me,
  OpenRequest,
  OpenRequests,
  RightsRequest,
  RightsRequests,
} from '../api.ts';
import { type Context, confirmed, connect, print, table, withJson } from '../context.ts';
import { usageError } from '../failure.ts';
import { addCopies } from './rights-copies.ts';

const PATH = '/api/v1/rights';

/** The rights of Articles 15 to 21 of the GDPR: one's own, and what the owner has to answer. */
export function addRightsCommands(program: Command, context: Context): void {
  const rights = program
    .command('rights')
    .description('your rights over your data (GDPR, Articles 15 to 21)');
  addRequests(rights, context);
  addCopies(rights, context);
  addErase(rights, context);
  addSwitches(rights, context);
  addAnswers(rights, context);
}

function addRequests(rights: Command, context: Context): void {
  const list = withJson(rights.command('list'))
    .description('your requests, with their deadlines')
    .action(async () => {
      const value = await connect(context, list).get<RightsRequests>(`${PATH}/requests`);
      const rows = value.requests.map((request) => [request.id, ...wordsOf(request), request.next ?? '']);
      const heading = ['REQUEST', 'KIND', 'STATE', 'RECEIVED', 'DUE', 'NEXT'];
      print(context, list, { value, lines: table(heading, rows, 'There are no requests.') });
    });

  const request = withJson(rights.command('request'))
    .description('ask for something; what the platform can do at once it does')
    .argument(
      '<kind>',
      'access, rectification, erasure, restriction, lifting, portability, objection or withdrawal',
    )
    .option('--purpose <purpose>', 'of an objection or its withdrawal: origin-ip or statistics')
    .option('--by-operator', 'ask the operator, because you cannot do it yourself')
    .action(
      async (kind: string, { purpose, byOperator = false }: { purpose?: string; byOperator?: boolean }) => {
        const body = { kind, byOperator, ...(purpose !== undefined && { purpose }) };
        const value = await connect(context, request).send<RightsRequest>('POST', `${PATH}/requests`, body);
        print(context, request, { value, lines: linesOf(value) });
      },
    );
}

function addErase(rights: Command, context: Context): void {
  const erase = withJson(rights.command('erase'))
    .description('erase your account with everything in it, for good and at once')
    .requiredOption('--account <id>', 'its id, as "jellyfaas whoami" shows it: so that it is no slip')
    .option('-y, --yes', 'do not ask')
    .action(async ({ account, yes }: { account: string; yes?: boolean }) => {
      const api = connect(context, erase);
      const { id, email } = await api.get<Me>('/api/v1/me');
      if (id !== account)
        throw usageError(`This is not the id of your account, ${email}. Nothing was erased.`);
      const question = `Erase ${email} with all functions, databases and conversations? Nobody can bring it back.`;
      if (!(await confirmed(context, yes, question))) return;
      const body = { confirm: account };
      const value = await api.sendSlow<AccountErased>('POST', `${PATH}/erasure`, body);
      const kept = value.retained.map(({ what, why }) => `What stays: ${what} (${why})`);
      print(context, erase, {
        value,
        lines: ['Your account is gone.', ...kept, `Receipt: ${value.receipt}`],
      });
    });
}

/** What is on or off. */
function addSwitches(rights: Command, context: Context): void {
  const act = async (command: Command, method: 'POST' | 'DELETE', path: string): Promise<void> => {
    const value = await connect(context, command).send<CarriedOut>(method, `${PATH}/${path}`);
    print(context, command, { value, lines: linesOf(value.request) });
  };
  const restrict = withJson(rights.command('restrict'))
    .description('have your data kept and not used, until you lift that')
    .action(() => act(restrict, 'POST', 'restriction'));
  const lift = withJson(rights.command('lift'))
    .description('lift the restriction')
    .action(() => act(lift, 'DELETE', 'restriction'));
  const object = withJson(rights.command('object'))
    .description('object to a use of your data')
    .argument('<purpose>', 'origin-ip (addresses in call records) or statistics')
    .option('--withdraw', 'take the objection back')
    .action((purpose: string, { withdraw = false }: { withdraw?: boolean }) =>
      act(object, withdraw ? 'DELETE' : 'POST', `objections/${encodeURIComponent(purpose)}`),
    );
}

interface Noted {
  readonly email: string;
  readonly purpose?: string;
  readonly receivedOn?: string;
}

/** What the owner of the installation does about requests of others. */
function addAnswers(rights: Command, context: Context): void {
  const all = withJson(rights.command('all'))
    .description('open requests of everybody, the most urgent first (owner only)')
    .action(async () => {
      const value = await connect(context, all).get<OpenRequests>(`${PATH}/all-requests`);
      const rows = value.open.map((request) => [
        request.id,
        ...wordsOf(request),
        `${request.daysLeft ?? ''}`,
        request.account.email,
      ]);
      const heading = ['REQUEST', 'KIND', 'STATE', 'RECEIVED', 'DUE', 'DAYS LEFT', 'WHO'];
      const lines = table(heading, rows, 'There are no open requests.');
      if (value.overdue > 0) lines.push(`${value.overdue} OVERDUE`);
      print(context, all, { value, lines });
    });

  const note = withJson(rights.command('note'))
    .description('note a request that came by letter or telephone (owner only)')
    .argument('<kind>', 'as for "rights request"')
    .requiredOption('-e, --email <email>', 'of the account')
    .option('--purpose <purpose>', 'of an objection or its withdrawal')
    .option('--received-on <day>', 'when it reached you, as 2026-11-23; today if not given')
    .action(async (kind: string, { email, purpose, receivedOn }: Noted) => {
      const body = {
        kind,
        email,
        ...(purpose !== undefined && { purpose }),
        ...(receivedOn !== undefined && { receivedOn }),
      };
      const value = await connect(context, note).send<OpenRequest>('POST', `${PATH}/all-requests`, body);
      print(context, note, { value, lines: linesOf(value) });
    });

  const answer = async (command: Command, api: Api, what: { id: string; end: string; body?: object }) => {
    const path = `${PATH}/all-requests/${encodeURIComponent(what.id)}/${what.end}`;
    const value = await api.send<OpenRequest>('POST', path, what.body);
    print(context, command, { value, lines: linesOf(value) });
  };
  for (const [name, end, description] of [
    ['extend', 'extension', 'take two months more, once (owner only)'],
    ['refuse', 'refusal', 'refuse a request (owner only)'],
  ] as const) {
    const command = withJson(rights.command(name))
      .description(description)
      .argument('<request>', 'as listed')
      .requiredOption('--reason <reason>', 'why; the person reads it')
      .action((id: string, body: { reason: string }) =>
        answer(command, connect(context, command), { id, end, body: { reason: body.reason } }),
      );
  }
  const complete = withJson(rights.command('complete'))
    .description('carry a request out, or say that you have (owner only)')
    .argument('<request>', 'as listed')
    .option('-y, --yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: boolean }) => {
      if (!(await confirmed(context, yes, 'Carry it out? An erasure cannot be taken back.'))) return;
      await answer(complete, connect(context, complete), { id, end: 'completion' });
    });
}

type Shown = Omit<RightsRequest, 'next'>;

function wordsOf({ kind, purpose, state, receivedOn, dueOn, endedOn }: Shown): string[] {
  return [purpose === null ? kind : `${kind} (${purpose})`, state, receivedOn, endedOn === null ? dueOn : ''];
}

function linesOf(request: Shown & { readonly next?: string | null }): string[] {
  const { id, kind, state, dueOn, extension, refusal, missing, receipt, next } = request;
  return [
    `${kind}: ${state} (${id})`,
    ...(receipt === null ? [`Due on ${dueOn}.`] : []),
    ...(extension === null ? [] : [`Extended: ${extension.reason}`]),
    ...(refusal === null ? [] : [`Refused: ${refusal}`]),
    ...(missing === 0 ? [] : [`Parts of the copy that could not be read: ${missing}`]),
    ...(typeof next === 'string' ? [`What is left to do: ${next}`] : []),
    ...(receipt === null ? [] : [`Receipt: ${receipt}`]),
  ];
}
