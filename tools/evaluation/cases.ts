import { readFileSync } from 'node:fs';
import { compileCheck, type SchemaCheck } from '../../server/ai/schema-check.ts';
import { parseSpec } from '../../server/functions/parse-spec.ts';
import type { Json } from '../../server/functions/spec.ts';
import { toolDeclarationOf } from '../../server/functions/tool-declaration.ts';
import type { ToolDeclaration } from '../../server/models/chat-model.ts';
import { type AllowedValues, type Arguments, type ExpectedCall, flatArguments } from './check-calls.ts';

/**
 * `simple`: one function, one call. `multiple`: the right one of five. `parallel`: two or three calls at once.
 * `irrelevance`: no function helps.
 */
export const CLASSES = ['simple', 'multiple', 'parallel', 'irrelevance'] as const;
export type CaseClass = (typeof CLASSES)[number];

export interface EvaluationCase {
  readonly class: CaseClass;
  readonly question: string;
  readonly tools: readonly EvaluatedTool[];
  readonly calls: readonly ExpectedCall[];
  /** One right answer. */
  readonly recorded: readonly RecordedCall[];
}

/** What the model is offered, and the check that decides whether the platform would run a call. */
export interface EvaluatedTool extends ToolDeclaration {
  readonly check: SchemaCheck;
}

interface RecordedCall {
  readonly function: string;
  readonly arguments: Arguments;
}

interface RecordedCase {
  readonly class: CaseClass;
  readonly question: string;
  readonly functions: readonly string[];
  readonly calls: readonly RecordedCall[];
}

/** Optional arguments, of which no question says a word: what is reasonable beside leaving them out. */
const REASONABLE: Readonly<Record<string, Readonly<Record<string, readonly Json[]>>>> = {
  'weather-now': { unit: ['celsius', 'fahrenheit'] },
  'dns-name': { type: ['A', 'AAAA', 'ANY'] },
  'word-define': { lang: ['en', 'English'] },
  'train-next': { time: ['now'] },
  'recipe-find': { diet: [] },
  'note-add': { 'body.pinned': [false] },
  'light-set': { 'body.level': [100] },
  'log-search': { 'body.limit': [] },
};

/** Other ways to write a value of a question. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  Krakow: ['Kraków'],
  lentils: ['lentil'],
  jellyfish: ['a jellyfish'],
  'red heart': ['a red heart'],
  'thumbs up': ['a thumbs up'],
};

/** The recorded corpus of the query loop, classes in turns: the first few cases are of every class. */
export function evaluationCases(): EvaluationCase[] {
  const tools = new Map(
    fixture<object[]>('functions')
      .map(toolOf)
      .map((tool) => [tool.name, tool]),
  );
  const cases = fixture<RecordedCase[]>('cases')
    // No question tells the bytes of a file.
    .filter(({ calls }) => calls.every((call) => !('file' in call.arguments)))
    .map(({ class: name, question, functions, calls }) => ({
      class: name,
      question,
      tools: functions.map((shortname) => tools.get(shortname) ?? missing(shortname)),
      calls: calls.map(expectedOf),
      recorded: calls,
    }));
  const queues = CLASSES.map((name) => cases.filter((one) => one.class === name));
  const longest = Math.max(...queues.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => queues.flatMap((queue) => queue[at] ?? [])).flat();
}

function fixture<T>(name: string): T {
  const path = new URL(`../../server/ai/fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

function missing(shortname: string): never {
  throw new Error(`no function ${shortname} is recorded`);
}

function toolOf(recorded: object): EvaluatedTool {
  const spec = parseSpec(JSON.stringify({ runtime: 'nodejs24', entrypoint: 'Example', ...recorded }));
  const { declaration } = toolDeclarationOf(spec);
  if (declaration === undefined) throw new Error(`${spec.shortname} cannot be a tool`);
  return { ...declaration, check: compileCheck(declaration.parameters) };
}

function expectedOf({ function: name, arguments: args }: RecordedCall): ExpectedCall {
  const optional = REASONABLE[name] ?? {};
  const allowed = new Map<string, AllowedValues>(
    Object.entries(optional).map(([path, values]) => [path, { values, isOptional: true }]),
  );
  for (const [path, value] of flatArguments(args)) {
    const others = optional[path] ?? (typeof value === 'string' ? SAME[value] : undefined) ?? [];
    allowed.set(path, { values: [value, ...others], isOptional: path in optional });
  }
  return { function: name, arguments: Object.fromEntries(allowed) };
}
