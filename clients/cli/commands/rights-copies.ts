import type { Command } from 'commander';
import type { CopyInvitation, ReceivedCopy, RightsRequests, TakenCopy } from '../api.ts';
import { type Context, connect, print, withJson } from '../context.ts';
import { usageError } from '../failure.ts';
import { openFile } from '../open-file.ts';
import { saveAnswer } from '../save-answer.ts';

const PATH = '/api/v1/rights';

/** The copy of everything that is kept of you, and its way to another installation. */
export function addCopies(rights: Command, context: Context): void {
  const copy = rights
    .command('copy')
    .description('take a copy of everything that is kept of you (a zip)')
    .requiredOption('-o, --output <file>', 'a new file that only you can read')
    .action(async ({ output }: { output: string }) => {
      const api = connect(context, copy);
      await saveAnswer(context, await api.open(`${PATH}/copy`), output);
      const { requests } = await api.get<RightsRequests>(`${PATH}/requests`);
      const missing = requests.find(({ kind }) => kind === 'access' || kind === 'portability')?.missing ?? 0;
      if (missing > 0)
        context.terminal.note(
          `${missing} parts could not be read: data/manifest.json in the copy names them.`,
        );
    });

  const take = withJson(rights.command('import'))
    .description('take over a copy of another installation')
    .argument('<file>', '"-" for stdin')
    .action(async (file: string) => {
      const content = await openFile(context, file);
      const value = await connect(context, take).sendStream<TakenCopy>(`${PATH}/imports`, {
        content,
        type: 'application/zip',
      });
      const left = value.left.map(({ kind, name, code }) => `  ${kind} ${name}: ${code}`);
      const heading = value.leftCount === 0 ? [] : [`Left behind: ${value.leftCount}`];
      print(context, take, { value, lines: [...takenLines(value), ...heading, ...left, receiptLine(value)] });
    });

  const invite = withJson(rights.command('invite'))
    .description('let another installation send one copy into your account, within a day')
    .option('--revoke', 'take the invitation back')
    .action(async ({ revoke = false }: { revoke?: boolean }) => {
      const api = connect(context, invite);
      if (revoke) {
        await api.send('DELETE', `${PATH}/invitations`);
        print(context, invite, { value: {}, lines: ['There is no invitation any more.'] });
        return;
      }
      const value = await api.send<CopyInvitation>('POST', `${PATH}/invitations`);
      const { address, token, expiresAt } = value;
      print(context, invite, {
        value,
        lines: [
          `Address: ${address}`,
          `Token:   ${token}`,
          `Once, until ${expiresAt}. Give both to the sender.`,
        ],
      });
    });

  const send = withJson(rights.command('send'))
    .description('send your copy to another installation that invited to it')
    .argument('<address>', 'of the invitation')
    .addHelpText('after', '\nThe token of the invitation is asked for, or taken from stdin.')
    .action(async (address: string) => {
      const token = await context.terminal.askSecret('Token of the invitation: ');
      if (token === '') throw usageError('Without the token of the invitation nothing is sent.');
      const body = { address, token };
      const value = await connect(context, send).sendSlow<ReceivedCopy>(
        'POST',
        `${PATH}/transmissions`,
        body,
      );
      const left =
        value.leftCount === 0 ? [] : [`Left behind: ${value.leftCount}; the invitation says what.`];
      print(context, send, { value, lines: [...takenLines(value), ...left, receiptLine(value)] });
    });
}

function takenLines({ taken }: Pick<TakenCopy, 'taken'>): string[] {
  const counted = Object.entries(taken).map(([kind, count]) => `${count} × ${kind}`);
  return [counted.length === 0 ? 'Nothing was taken over.' : `Taken over: ${counted.join(', ')}`];
}

function receiptLine({ receipt }: Pick<TakenCopy, 'receipt'>): string {
  return `Receipt: ${receipt}`;
}
