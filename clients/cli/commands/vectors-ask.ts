import type { Command } from 'commander';
import type { VectorAnswerEvent } from '../api.ts';
import type { AskDocumentsOptions, VectorDatabase, VectorFilter } from '../../sdk/src/index.ts';
import { connect, print, settingsOf, withJson, type Context } from '../context.ts';
import { CliError } from '../failure.ts';
import { asCliError } from '../function-call.ts';
import { INSTALLATION_KEY_HELP, installationKeyOf } from '../installation-key.ts';
import { printable } from '../terminal.ts';
import { databasePath, filterOf, questionOf, sealedVectors } from './vector-words.ts';

interface AskOptions {
  readonly top?: string;
  readonly filter?: string;
  readonly rerank?: boolean;
  readonly platform?: string;
  readonly sealed?: boolean;
  readonly installationKey?: string;
  readonly json?: boolean;
}

type AnswerEvent = Extract<VectorAnswerEvent, { type: 'answer' }>;

export function addVectorAsk(vectors: Command, context: Context): void {
  const ask = withJson(vectors.command('ask'))
    .description('ask the documents; the answer goes to stdout, what it rests on to stderr')
    .argument('<name>')
    .argument('<question>', '"-" reads it from stdin')
    .option('--top <number>', 'passages that the answer may rest on')
    .option('--filter <json>', 'on metadata')
    .option('--rerank', 'judge the best passages once more')
    .option('--platform <name>', 'one of "jellyfaas model list" instead of your choice')
    .option('--sealed', 'seal the question here: a sandbox of your own answers it, the server reads nothing')
    .option('--installation-key <key>', INSTALLATION_KEY_HELP)
    .action(async (name: string, word: string, options: AskOptions) => {
      const { top, filter, rerank, platform, sealed } = options;
      const installationKey = installationKeyOf(options);
      const question = await questionOf(context, word);
      const about = {
        ...(top !== undefined && { topK: Number(top) }),
        ...(filter !== undefined && { filter: filterOf(filter) as VectorFilter }),
        ...(rerank === true && { rerank }),
        ...(platform !== undefined && { platform }),
      };
      const { terminal } = context;
      const isStreamed = options.json !== true && terminal.interactive;
      const events =
        sealed === true
          ? askSealed(sealedVectors(settingsOf(context, ask), name, installationKey), question, about)
          : connect(context, ask).events<VectorAnswerEvent>(databasePath(name, '/ask'), {
              body: { question, ...about },
            });
      const answer = await follow(context, events, isStreamed);
      const { type: _, ...value } = answer;
      print(context, ask, { value, lines: isStreamed ? [] : [answer.answer] });
      if (options.json !== true) for (const line of notesOf(answer)) terminal.note(line);
    });
}

async function* askSealed(
  database: VectorDatabase,
  question: string,
  about: AskDocumentsOptions,
): AsyncGenerator<VectorAnswerEvent> {
  try {
    // The same events; the SDK's lists are not to be changed.
    yield* database.ask(question, { ...about, stream: true }) as AsyncGenerator<VectorAnswerEvent>;
  } catch (error) {
    throw asCliError(error);
  }
}

/** Shows the answer while it is written, on a terminal, or when it is complete. */
async function follow(
  { terminal }: Context,
  events: AsyncIterable<VectorAnswerEvent>,
  isStreamed: boolean,
): Promise<AnswerEvent> {
  let answer: AnswerEvent | undefined;
  for await (const event of events) {
    if (event.type === 'error') throw new CliError(event.detail, { code: event.code });
    if (event.type === 'answer') answer = event;
    if (event.type === 'text' && isStreamed) await terminal.stream(Buffer.from(printable(event.text)));
  }
  if (answer === undefined) throw new CliError('The server cut the answer off. Ask again.');
  if (isStreamed) await terminal.stream(Buffer.from('\n'));
  return answer;
}

function notesOf({ citations, changed, finish, retention, platform }: AnswerEvent): string[] {
  return [
    ...citations.map(({ number, documentId, page, start, end, score }) => {
      const place = page === null ? `characters ${start} to ${end}` : `page ${page}`;
      return `[${number}] ${documentId}, ${place}${score === null ? '' : `, ${score.toFixed(3)}`}`;
    }),
    ...(changed.length > 0 ? [`${changed.length} passage(s) have changed since they were uploaded.`] : []),
    ...(finish === 'length' ? ['The answer was cut: the model reached its longest output.'] : []),
    ...(finish === 'filtered' ? ["The answer is not complete: the model's provider filtered it."] : []),
    ...(retention === 'provider' ? [`${platform} may keep what was asked: see its own terms.`] : []),
  ];
}
