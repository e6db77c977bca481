import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { AskOptions as SdkOptions, JellyFaaS } from '../../sdk/src/index.ts';
import type { AiEvent } from '../api.ts';
import { connect, print, settingsOf, withJson, type Context } from '../context.ts';
import { CliError, isSystemError, usageError } from '../failure.ts';
import { asCliError, sealingClient } from '../function-call.ts';
import { INSTALLATION_KEY_HELP, installationKeyOf } from '../installation-key.ts';
import { printable, type Terminal } from '../terminal.ts';

interface AskOptions {
  readonly function: readonly string[];
  readonly library?: boolean;
  readonly source: readonly string[];
  readonly platform?: string;
  readonly schema?: string;
  readonly trace?: boolean;
  readonly stream?: boolean;
  readonly sealed?: boolean;
  readonly installationKey?: string;
  readonly json?: boolean;
}

type AnswerEvent = Extract<AiEvent, { type: 'answer' }>;

const STEP_LENGTH_MAX = 200;

export function addAskCommand(program: Command, context: Context): void {
  const collect = (name: string, previous: readonly string[]) => [...previous, name];
  const ask = withJson(program.command('ask'))
    .description('ask in words; the answer goes to stdout, the functions that are called to stderr')
    .argument('<question>', '"-" reads it from stdin, where no other user of the machine can see it')
    .option('--function <name>', 'the model may call it; may be repeated', collect, [])
    .option('--library', 'the model may call any of your own functions')
    .option('--source <name>', 'the model may call its approved tools; may be repeated', collect, [])
    .option('--platform <name>', 'one of "jellyfaas model list" instead of your choice')
    .option('--schema <file>', 'JSON Schema; the answer is JSON of it')
    .option('--trace', 'show what functions were called with and what they answered')
    .option('--stream', 'show the answer while it is written; so anyway on a terminal')
    .option('--no-stream', 'show the answer when it is complete')
    .option('--sealed', 'seal the question here: a sandbox of your own asks the model, nothing else reads it')
    .option('--installation-key <key>', INSTALLATION_KEY_HELP)
    .action(async (question: string, options: AskOptions) => {
      const installationKey = installationKeyOf(options);
      const asked = await readQuery(context, question, options);
      const events =
        options.sealed === true
          ? askSealed(sealingClient(settingsOf(context, ask), installationKey), asked)
          : connect(context, ask).events<AiEvent>('/api/v1/ai/query', { body: asked });
      const answer = await follow(context, events, options);
      const { type: _, trace, ...plain } = answer;
      const value = options.trace === true ? { ...plain, trace } : plain;
      if (options.json === true) print(context, ask, { value, lines: [] });
      else report(context.terminal, answer);
    });
}

type Asked = Omit<SdkOptions, 'sealed' | 'signal'> & { readonly question: string };

async function* askSealed(client: JellyFaaS, { question, ...options }: Asked): AsyncGenerator<AiEvent> {
  try {
    const events = client.ask(question, { ...options, stream: true, sealed: true });
    // The same events; the SDK's lists are not to be changed.
    yield* events as AsyncGenerator<AiEvent>;
  } catch (error) {
    throw asCliError(error);
  }
}

async function readQuery(context: Context, question: string, options: AskOptions): Promise<Asked> {
  if (options.library === true && options.function.length > 0) {
    throw usageError('--library offers all of your functions: leave --function out.');
  }
  const { platform } = options;
  const asked = question === '-' ? (await context.terminal.readInput()).toString('utf8') : question;
  return {
    question: asked,
    functions: options.library === true ? 'library' : options.function,
    sources: options.source,
    // Steps are shown anyway; the option says how much of them.
    trace: true,
    ...(platform !== undefined && { platform }),
    ...(options.schema !== undefined && { responseSchema: readSchema(resolve(context.cwd, options.schema)) }),
  };
}

/** Shows what is heard until the answer is there. */
async function follow(
  { terminal }: Context,
  events: AsyncIterable<AiEvent>,
  options: AskOptions,
): Promise<AnswerEvent> {
  const streams = options.json !== true && (options.stream ?? terminal.interactive);
  let answer: AnswerEvent | undefined;
  let isLineOpen = false;
  const endLine = async (): Promise<void> => {
    if (isLineOpen) await terminal.stream(Buffer.from('\n'));
    isLineOpen = false;
  };
  for await (const event of events) {
    if (event.type === 'error') throw new CliError(event.detail, { code: event.code });
    else if (event.type === 'answer') answer = event;
    else if (event.type === 'text') {
      if (!streams) continue;
      isLineOpen = true;
      await terminal.stream(Buffer.from(printable(event.text)));
    } else if (event.type !== 'done' && options.json !== true) {
      // A line of its own, also where answer and steps share a terminal.
      await endLine();
      terminal.note(stepOf(event, options.trace === true));
    }
  }
  if (answer === undefined) throw new CliError('The server cut the answer off. Ask again.');
  if (isLineOpen) await endLine();
  else if (options.json !== true) terminal.out(answer.answer);
  return answer;
}

type StepEvent = Extract<AiEvent, { type: `tool${string}` }>;

function stepOf(event: StepEvent, isTraced: boolean): string {
  switch (event.type) {
    case 'tool-call':
      return `→ ${event.function}${outside(event)}${isTraced ? ` ${JSON.stringify(event.arguments)}` : ''}`;
    case 'tool-result':
      return `← ${event.status ?? (event.ok ? 'answered' : 'failed')}${isTraced ? ` ${event.result}` : ''}`;
    case 'tool-refused':
      return `✗ ${event.function}: ${event.reason}`.slice(0, isTraced ? undefined : STEP_LENGTH_MAX);
    case 'tools-withheld':
      return withheld(event).slice(0, isTraced ? undefined : STEP_LENGTH_MAX);
  }
}

/** Who else than this installation gets what the function is called with. */
function outside({ source }: Extract<StepEvent, { type: 'tool-call' }>): string {
  return source === undefined ? '' : ` (outside: ${source})`;
}

function withheld({ tools }: Extract<StepEvent, { type: 'tools-withheld' }>): string {
  const told = tools.map(({ source, tool, reason }) => `${source}/${tool} (${reason})`);
  return `✗ not approved as they are now, so not offered: ${told.join(', ')}`;
}

const ENDINGS = {
  length: 'The answer was cut: the model reached its longest output.',
  'step-limit': 'The answer is not complete: the model called functions as often as one question may.',
  filtered: "The answer is not complete: the model's provider filtered it.",
} as const;

function report(terminal: Terminal, { finish, retention, platform }: AnswerEvent): void {
  if (finish !== 'complete') terminal.note(ENDINGS[finish]);
  if (retention === 'provider') terminal.note(`${platform} may keep what was asked: see its own terms.`);
}

function readSchema(path: string): object {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as object;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EACCES') || error instanceof SyntaxError) {
      throw usageError(`The file ${path} is no JSON that can be read.`);
    }
    throw error;
  }
}
