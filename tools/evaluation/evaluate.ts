import type { Json } from '../../server/functions/spec.ts';
import { PlatformError } from '../../server/kernel/errors.ts';
import type { AccountId } from '../../server/kernel/ids.ts';
import type { ChatModel, ToolCall } from '../../server/models/chat-model.ts';
import type { CaseClass, EvaluationCase } from './cases.ts';
import { type Arguments, checkCalls, isObject } from './check-calls.ts';

/** What one model did over all cases. */
export interface Evaluation {
  readonly classes: readonly ClassScore[];
  /** Calls that the model made or began, and those that the platform would run: an offered function, fitting arguments. */
  readonly calls: { readonly made: number; readonly valid: number };
  /** How often each fault was the first of its case; the code of an error where there was no answer. */
  readonly faults: Readonly<Record<string, number>>;
}

export interface ClassScore {
  readonly class: CaseClass;
  readonly cases: number;
  readonly right: number;
}

const ACCOUNT = 'acct_evaluation0000000000' as AccountId;
/** Room for the longest arguments that a grammar of the cases allows, so that a cut call is a fault of the model. */
const OUTPUT_TOKENS_MAX = 2048;

interface Outcome {
  readonly case: EvaluationCase;
  readonly fault: string | undefined;
  readonly made: number;
  readonly valid: number;
}

/** Asks one question after the other, at temperature 0, and runs nothing. `onCase` hears how far it has come. */
export async function evaluate(
  model: ChatModel,
  cases: readonly EvaluationCase[],
  onCase: (done: number) => void,
): Promise<Evaluation> {
  const outcomes: Outcome[] = [];
  for (const one of cases) {
    outcomes.push(await outcomeOf(model, one));
    onCase(outcomes.length);
  }
  return summary(outcomes);
}

async function outcomeOf(model: ChatModel, one: EvaluationCase): Promise<Outcome> {
  try {
    const { calls, isCut } = await answerOf(model, one);
    const made = calls.map((call) => ({ function: call.name, arguments: argumentsOf(call.arguments) }));
    const valid = made.filter(({ function: name, arguments: args }) => {
      const tool = one.tools.find((offered) => offered.name === name);
      return args !== undefined && tool?.check(args).length === 0;
    });
    const fault = isCut ? 'cut off' : checkCalls(one.calls, made);
    return { case: one, fault, made: made.length + (isCut ? 1 : 0), valid: valid.length };
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    return { case: one, fault: thrown.code, made: 0, valid: 0 };
  }
}

interface Answer {
  readonly calls: readonly ToolCall[];
  /** Out of tokens in the middle of a call. */
  readonly isCut: boolean;
}

/** To the first word of an answer that is no call: the rest of it counts for nothing. */
async function answerOf(model: ChatModel, { question, tools }: EvaluationCase): Promise<Answer> {
  const calls: ToolCall[] = [];
  const leaving = new AbortController();
  const parts = model.stream({
    accountId: ACCOUNT,
    messages: [{ role: 'user', text: question }],
    tools: tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
    outputTokensMax: OUTPUT_TOKENS_MAX,
    temperature: 0,
    signal: leaving.signal,
  });
  let hasText = false;
  for await (const part of parts) {
    if (part.type === 'tool-call') calls.push(part.call);
    else if (part.type === 'text') hasText = true;
    else return { calls, isCut: part.reason === 'length' && !hasText };
    // The embedded model decides first whether it calls; others may say something before.
    if (hasText && model.platform === 'embedded') break;
  }
  return { calls, isCut: false };
}

/** A model without grammar closes the brace that stands around the arguments, too. */
function argumentsOf(text: string): Arguments | undefined {
  const trimmed = text.trim();
  const found = parse(trimmed === '' ? '{}' : trimmed) ?? parse(trimmed.replace(/\}$/, ''));
  return found !== undefined && isObject(found) ? found : undefined;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function summary(outcomes: readonly Outcome[]): Evaluation {
  const faults: Record<string, number> = {};
  for (const { fault } of outcomes) if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1;
  const sum = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, one) => total + of(one), 0);
  const byClass = Map.groupBy(outcomes, (outcome) => outcome.case.class);
  return {
    classes: [...byClass].map(([name, all]) => ({
      class: name,
      cases: all.length,
      right: all.filter(({ fault }) => fault === undefined).length,
    })),
    calls: { made: sum(({ made }) => made), valid: sum(({ valid }) => valid) },
    faults,
  };
}
