import { type ScriptedReply, type ScriptedRequest, startScriptedModel } from '../testkit/scripted-model.ts';
import { answerVisitor } from '../testkit/visitor-crowd.ts';
import { CROWD_DELTAS, type ModelMessage, STAMP_LENGTH } from './model.ts';

/** Fulfilled when all of the crowd's questions are there. */
const crowd = { waiting: 0, complete: Promise.withResolvers<void>() };

const send = (message: ModelMessage): void => void process.send?.(message);

function replyTo(request: ScriptedRequest): ScriptedReply {
  const messages = request.body.messages ?? [];
  const content = messages.findLast(({ role }) => role === 'user')?.content;
  const question = typeof content === 'string' ? content : '';
  if (question.startsWith('call')) return callThenAnswer(request);
  if (question.startsWith('stream')) return stamped();
  if (question.includes('The visitor writes: ')) return answerVisitor(request);
  return crowded(Number(question.split(' ')[1]));
}

function callThenAnswer(request: ScriptedRequest): ScriptedReply {
  const from = performance.now();
  void request.ended.then(() => send({ tookMs: performance.now() - from }));
  if (request.body.messages?.at(-1)?.role === 'tool') return { text: 'It was called.' };
  const name = request.body.tools?.[0]?.function.name ?? '';
  return { toolCalls: [{ name, arguments: { do: 'count' } }] };
}

/** The clock is the host's, the same in all processes. The rest waits for the reader to have the first delta. */
function stamped(): ScriptedReply {
  const stamp = String(process.hrtime.bigint()).padEnd(STAMP_LENGTH);
  const seen = new Promise<void>((resolve) => process.once('message', () => resolve()));
  let writes = 0;
  return {
    text: `${stamp}${'.'.repeat(STAMP_LENGTH)}`,
    deltaLength: STAMP_LENGTH,
    // The first write is the role, the second the stamp.
    beforeWrite: async () => await (++writes > 1 ? seen : undefined),
  };
}

function crowded(size: number): ScriptedReply {
  const { complete } = crowd;
  if (++crowd.waiting === size) {
    crowd.waiting = 0;
    crowd.complete = Promise.withResolvers();
    complete.resolve();
  }
  return {
    text: 'word '.repeat(CROWD_DELTAS),
    deltaLength: 'word '.length,
    beforeWrite: () => complete.promise,
  };
}

/**
 * The child that `startModel` forks. It goes by the first word of the question: `call` is answered with a call of
 * the function that is offered and then in words, `stream` with the time at once and the rest when the reader has
 * it, `crowd <n>` with deltas once n questions are there; visitors of AI.Mee are told their mark.
 */
const model = await startScriptedModel(replyTo);
send({ url: model.url });
process.on('disconnect', () => process.exit(0));
