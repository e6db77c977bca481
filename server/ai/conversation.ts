import type { ChatMessage, ChatModel, ToolDeclaration } from '../models/chat-model.ts';
import { aiErrors } from './errors.ts';
import type { FunctionTool } from './function-tool.ts';
import { type Judge, type JudgedCall, createJudge } from './judge-calls.ts';
import type { QueryLimits } from './limits.ts';
import { type Step, runStep } from './model-step.ts';
import type { Query, QueryAnswer, QueryEvent } from './query.ts';
import type { ResponseForm } from './response-form.ts';
import { type Fence, createFence, fencedResult, resultText } from './untrusted.ts';

export interface ConversationParts {
  readonly query: Query;
  readonly model: ChatModel;
  /** All that may ever be called in this query. */
  readonly tools: readonly FunctionTool[];
  /** The form that the answer has to have, if it has to have one. */
  readonly form: ResponseForm | undefined;
  readonly limits: QueryLimits;
  readonly onEvent: (event: QueryEvent) => void;
  /** Aborts when the client leaves or the time is over. */
  readonly signal: AbortSignal;
}

export type Outcome = Pick<QueryAnswer, 'answer' | 'finish'>;

/** One question on its way to its answer: model, calls, model, … . Lives as long as the query. */
export class Conversation {
  readonly #parts: ConversationParts;
  readonly #messages: ChatMessage[];
  readonly #declarations: readonly ToolDeclaration[];
  readonly #judge: Judge;
  readonly #fence: Fence = createFence('What a function answers');
  #room: number;
  #callsLeft: number;
  #hasErred = false;

  constructor(parts: ConversationParts) {
    const { form, limits, query, tools } = parts;
    this.#parts = parts;
    this.#room = limits.textLengthMax;
    this.#callsLeft = limits.callsMax;
    this.#declarations = tools.map(({ declaration }) => declaration);
    this.#judge = createJudge(tools, limits.argumentsLengthMax);
    const instruction = tools.length > 0 ? this.#fence.instruction : form?.instruction;
    this.#messages = withInstruction(query.messages, instruction);
  }

  async run(): Promise<Outcome> {
    const { form, limits, tools } = this.#parts;
    if (form === undefined) return await this.#converse(limits.stepsMax);
    // Models take tools or a form of the answer, not both: first what has to be found out, then the form.
    if (tools.length === 0) return await this.#fill(form);
    const found = await this.#converse(limits.stepsMax - FORM_STEPS);
    if (found.finish === 'filtered') return { ...found, answer: '' };
    this.#goOn(found.answer, form.instruction);
    const filled = await this.#fill(form);
    return found.finish === 'step-limit' ? { ...filled, finish: 'step-limit' } : filled;
  }

  /** The model's words and what it is told next. */
  #goOn(said: string, next: string): void {
    if (said !== '') this.#messages.push({ role: 'assistant', text: said, toolCalls: [] });
    this.#messages.push({ role: 'user', text: next });
  }

  async #converse(stepsMax: number): Promise<Outcome> {
    let text = '';
    for (let step = 1; step <= stepsMax; step++) {
      const { calls, finish, ...said } = await this.#step({ isShown: this.#parts.form === undefined });
      text = said.text;
      if (calls.length === 0 || finish === 'filtered') return { answer: text, finish: finishOf(finish) };
      // Results of the last step's calls would be seen by nobody.
      if (calls.length > this.#callsLeft || step === stepsMax) break;
      await this.#answerCalls(text, calls);
    }
    return { answer: text, finish: 'step-limit' };
  }

  /** Asks for the form, and once more if the answer breaks it. */
  async #fill(form: ResponseForm): Promise<Outcome> {
    for (let tries = 1; tries <= FORM_STEPS; tries++) {
      const { text, finish } = await this.#step({ isShown: false, form });
      const { json, faults } = form.read(text);
      if (json !== undefined) {
        this.#parts.onEvent({ type: 'text', text: json });
        return { answer: json, finish: 'complete' };
      }
      if (finish === 'filtered' || finish === 'length') return { answer: '', finish };
      this.#messages.push({ role: 'assistant', text, toolCalls: [] });
      this.#messages.push({
        role: 'user',
        text: `${form.instruction} The last answer does not fit: ${faults}`,
      });
    }
    throw aiErrors.answerBreaksSchema();
  }

  async #step({ isShown, form }: { isShown: boolean; form?: ResponseForm }): Promise<Step> {
    const { limits, model, onEvent, query, signal } = this.#parts;
    const step = await runStep(
      model,
      {
        accountId: query.principal.accountId,
        messages: [...this.#messages],
        tools: form === undefined ? this.#declarations : [],
        ...(form !== undefined && { responseSchema: form.schema }),
        outputTokensMax: limits.outputTokensMax,
        signal,
      },
      {
        textLengthMax: this.#room,
        callsMax: limits.callsMax,
        onText: (text) => isShown && onEvent({ type: 'text', text }),
      },
    );
    this.#room -= step.text.length;
    return step;
  }

  /** Makes the calls that are right, tells the model what is wrong with the others, and gives up the second time. */
  async #answerCalls(text: string, calls: Step['calls']): Promise<void> {
    const { limits, onEvent } = this.#parts;
    const judged = calls.map(this.#judge);
    for (const { call, tool, refusal } of judged)
      if (tool === undefined)
        onEvent({ type: 'tool-refused', id: call.id, function: call.name, reason: refusal });
    const hasErred = judged.some(({ refusal }) => refusal !== undefined);
    if (hasErred && this.#hasErred) throw aiErrors.badCalls();
    this.#hasErred ||= hasErred;
    this.#callsLeft -= judged.filter(({ tool }) => tool !== undefined).length;
    this.#messages.push({ role: 'assistant', text, toolCalls: judged.map(({ call }) => call) });
    const answers = await mapInParallel(judged, limits.parallelCallsMax, (one) => this.#call(one));
    for (const [index, { call }] of judged.entries())
      this.#messages.push({
        role: 'tool',
        callId: call.id,
        name: call.name,
        text: answers[index] ?? '',
      });
  }

  /** What the model is told of it. */
  async #call({ call, tool, args, refusal }: JudgedCallParts): Promise<string> {
    if (tool === undefined) return `The call was not made. ${refusal ?? ''} Correct it, or do without.`;
    const { limits, onEvent, query, signal } = this.#parts;
    const recipient = tool.source === undefined ? {} : { source: tool.source };
    onEvent({ type: 'tool-call', id: call.id, function: call.name, ...recipient, arguments: args ?? {} });
    const { principal, originIp } = query;
    const { resultBytesMax } = limits;
    const result = await tool.call(args ?? {}, { principal, originIp, signal, resultBytesMax });
    const { ok, status } = result;
    onEvent({ type: 'tool-result', id: call.id, ok, status, result: resultText(result) });
    return fencedResult(this.#fence, call.name, result);
  }
}

type JudgedCallParts = Pick<JudgedCall, 'call' | 'tool' | 'refusal'> & { readonly args?: JudgedArguments };
type JudgedArguments = Extract<JudgedCall, { args: unknown }>['args'];

/** Requests for the form: the answer and one repair. */
const FORM_STEPS = 2;

/** One system message, first: some providers take no others. */
function withInstruction(messages: Query['messages'], instruction: string | undefined): ChatMessage[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ text }) => text);
  if (instruction !== undefined) system.unshift(instruction);
  const rest = messages.filter(({ role }) => role !== 'system');
  return system.length === 0 ? rest : [{ role: 'system', text: system.join('\n\n') }, ...rest];
}

function finishOf(finish: Step['finish']): QueryAnswer['finish'] {
  return finish === 'length' || finish === 'filtered' ? finish : 'complete';
}

/** Results in the order of the items. */
async function mapInParallel<T, R>(
  items: readonly T[],
  workersMax: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    // All workers share one iterator, so each takes the next item that is free.
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(workersMax, items.length) }, worker));
  return results;
}
