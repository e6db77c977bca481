import { createHmac, randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { createAdmission, type AdmissionLimits } from '../engines/admission.ts';
import { createDeadline, type Deadline } from '../engines/deadline.ts';
import type { Engine } from '../engines/engine.ts';
import { createEngineHost } from '../engines/engine-host.ts';
import type { Json } from '../functions/spec.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { ChatModel, ModelPart, ModelRequest } from './chat-model.ts';
import {
  MODEL_ENGINE_LIMITS,
  type ModelEngineLimits,
  type ModelEngineOptions,
  type ModelEngineRequest,
  type ModelFrame,
  startModelEngine,
} from './embedded-engine.ts';
import { embeddedErrors } from './embedded-errors.ts';
import { engineMessages } from './embedded-prompt.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { schemaGrammar } from './schema-grammar.ts';

/**
 * A GGUF model in a jailed process of its own, without network: started with the first question, ended when nobody
 * asked for a while or when it crashed. Whatever it writes as arguments or as a structured answer fits the grammar
 * of the schema. Nothing of one account's request is left in it when another account's begins.
 */
export interface EmbeddedModel extends ChatModel {
  /** Ends the process; running answers reject with `models.embedded_crashed`. */
  close(): Promise<void>;
}

export interface EmbeddedOptions extends Omit<ModelEngineOptions, 'limits'> {
  readonly limits?: Partial<EmbeddedLimits>;
  /** GBNF of a tool's arguments; default: that of its schema. The evaluation compares with none. */
  readonly argumentsGrammar?: (schema: Json) => string;
}

/** A question too many is refused with `models.busy`. */
export interface EmbeddedLimits extends ModelEngineLimits, AdmissionLimits {
  /** From the question to the end of its answer, the start of the process included. */
  readonly requestMs: number;
  /** After the last answer, until the process ends. */
  readonly idleMs: number;
}

export const EMBEDDED_LIMITS: EmbeddedLimits = {
  ...MODEL_ENGINE_LIMITS,
  queueMax: 32,
  queuePerAccountMax: 8,
  requestMs: 120_000,
  idleMs: 600_000,
};

export function createEmbeddedModel(options: EmbeddedOptions): EmbeddedModel {
  const limits = { ...EMBEDDED_LIMITS, ...options.limits };
  const { scheduler } = options;
  const host = createEngineHost({
    start: () => startModelEngine({ ...options, limits }),
    scheduler,
    idleMs: limits.idleMs,
  });
  const admission = createAdmission(limits, embeddedErrors.busy);
  const pseudonymKey = randomBytes(32);
  const pseudonymOf = (id: AccountId): string => createHmac('sha256', pseudonymKey).update(id).digest('hex');
  let lastId = 0;

  async function* stream(request: ModelRequest): AsyncGenerator<ModelPart> {
    if (request.signal.aborted) throw embeddedErrors.cancelled();
    const leave = admission.enter(request.accountId);
    const deadline = createDeadline({
      scheduler,
      delayMs: limits.requestMs,
      signal: request.signal,
      ...embeddedErrors,
    });
    const id = ++lastId;
    let engine: Engine<ModelFrame> | undefined;
    try {
      engine = await deadline.race(host.use());
      const parts = createMailbox<ModelFrame>();
      engine.request(engineRequest(id, pseudonymOf(request.accountId), request, options.argumentsGrammar), {
        onFrame: (frame) => parts.put(frame),
        onEnd: (error) => parts.fail(error),
      });
      yield* partsOf(parts, id, deadline);
    } finally {
      // Also when the reader left in the middle; a request that has ended is not known any more.
      engine?.cancel(id);
      deadline.close();
      leave();
      host.release();
    }
  }

  return {
    platform: 'embedded',
    model: basename(options.modelPath, '.gguf'),
    isOutside: false,
    retention: 'none',
    stream,
    close: () => host.close(),
  };
}

function engineRequest(
  id: number,
  account: string,
  request: ModelRequest,
  argumentsGrammar: (schema: Json) => string = schemaGrammar,
): ModelEngineRequest {
  const { tools, responseSchema, outputTokensMax, temperature = 0 } = request;
  return {
    id,
    account,
    messages: engineMessages(request),
    tools: tools.map(({ name, parameters }) => ({ name, grammar: argumentsGrammar(parameters) })),
    ...(responseSchema !== undefined && { grammar: schemaGrammar(responseSchema) }),
    outputTokensMax,
    temperature,
  };
}

async function* partsOf(
  frames: Mailbox<ModelFrame>,
  id: number,
  deadline: Deadline,
): AsyncGenerator<ModelPart> {
  for (let call = 1; ;) {
    const frame = await deadline.race(frames.take());
    switch (frame.t) {
      case 'text':
        yield { type: 'text', text: frame.text };
        break;
      case 'call': {
        const { name, arguments: written } = frame;
        yield { type: 'tool-call', call: { id: `call_${id}_${call++}`, name, arguments: written } };
        break;
      }
      case 'finish':
        yield { type: 'finish', reason: frame.reason };
        return;
      case 'failed':
        throw frame.code === 'too_long' ? embeddedErrors.tooLong() : embeddedErrors.failed();
    }
  }
}
