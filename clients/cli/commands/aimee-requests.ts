import type { Command } from 'commander';
import type { VisitorRequest, VisitorRequests } from '../api.ts';
import { connect, print, table, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';
import { saveAnswer } from '../save-answer.ts';
import { findSite, sitePath } from './aimee-words.ts';

interface RequestOptions {
  readonly right?: string;
  readonly reference?: string;
  readonly message?: string;
  readonly note?: string;
  readonly later?: boolean;
  readonly copy?: string;
  readonly output?: string;
}

/** Visitors' rights, answered by the reference that the chat has shown them. */
export function addAimeeRequests(aimee: Command, context: Context): void {
  const requests = withJson(aimee.command('requests'))
    .description('list requests of visitors under the GDPR, or answer one')
    .argument('<site>', 'id or name')
    .option(
      '--right <kind>',
      'access, rectification, erasure, restriction, lifting, portability, objection, withdrawal',
    )
    .option('--reference <reference>', 'as the chat has shown it')
    .option('--message <number>', 'of a rectification: the message that is wrong', '1')
    .option('--note <text>', 'of a rectification: what is right')
    .option('--later', 'note it, and decide later')
    .option('--copy <request>', 'fetch the copy of a request for access')
    .option('-o, --output <file>', 'a new file for the copy, instead of stdout')
    .action(async (word: string, options: RequestOptions) => {
      const api = connect(context, requests);
      const path = sitePath((await findSite(api, word)).id, '/requests');
      if (options.copy !== undefined) {
        const copy = `${path}/${encodeURIComponent(options.copy)}/copy`;
        await saveAnswer(context, await api.open(copy), options.output);
        return;
      }
      if (options.right !== undefined) {
        const value = await api.send<VisitorRequest>('POST', path, formOf(options));
        print(context, requests, { value, lines: linesOf(value) });
        return;
      }
      const value = await api.get<VisitorRequests>(path);
      const rows = value.requests.map(({ id, kind, reference, state, receivedOn, dueOn, endedOn }) => [
        id,
        kind,
        reference ?? 'gone',
        state,
        receivedOn,
        endedOn === null ? dueOn : '',
      ]);
      const heading = ['REQUEST', 'KIND', 'REFERENCE', 'STATE', 'RECEIVED', 'DUE'];
      print(context, requests, { value, lines: table(heading, rows, 'No visitor has asked for anything.') });
    });
}

function formOf({ right, reference, message, note, later }: RequestOptions): object {
  if (reference === undefined)
    throw usageError('Name the conversation with --reference, as the chat has shown it.');
  return {
    kind: right,
    reference,
    carryOut: later !== true,
    ...(note !== undefined && { note: { message: Number(message), text: note } }),
  };
}

function linesOf({ id, kind, state, dueOn, receipt }: VisitorRequest): string[] {
  return [`${kind}: ${state} (${id})`, receipt === null ? `Due on ${dueOn}.` : `Receipt: ${receipt}`];
}
