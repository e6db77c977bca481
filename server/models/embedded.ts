import { createHmac, randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { Json } from '../functions/spec.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { ChatModel, ModelPart, ModelRequest } from './chat-model.ts';
import {
  type Engine,
  type EngineFrame,
  type EngineLimits,
  type EngineOptions,
  type EngineRequest,
  ENGINE_LIMITS,
  startEngine,
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

export interface EmbeddedOptions extends Omit<EngineOptions, 'limits'> {
  readonly limits?: Partial<EmbeddedLimits>;
  /** GBNF of a tool's arguments; default: that of its schema. The evaluation compares with none. */
  readonly argumentsGrammar?: (schema: Json) => string;
}

export interface EmbeddedLimits extends EngineLimits {
  /** Questions waiting or running; one more is refused with `models.busy`. */
  readonly queueMax: number;
  readonly queuePerAccountMax: number;
  /** From the question to the end of its answer, the start of the process included. */
  readonly requestMs: number;
  /** After the last answer, until the process ends. */
  readonly idleMs: number;
}

export const EMBEDDED_LIMITS: EmbeddedLimits = {
  ...ENGINE_LIMITS,
  queueMax: 32,
  queuePerAccountMax: 8,
  requestMs: 120_000,
  idleMs: 600_000,
};

export function createEmbeddedModel(options: EmbeddedOptions): EmbeddedModel {
  const limits = { ...EMBEDDED_LIMITS, ...options.limits };
  const host = createHost({ ...options, limits }, limits.idleMs);
  const queue = createQueue(limits);
  const pseudonymKey = randomBytes(32);
  const pseudonymOf = (id: AccountId): string => createHmac('sha256', pseudonymKey).update(id).digest('hex');
  let lastId = 0;

  async function* stream(request: ModelRequest): AsyncGenerator<ModelPart> {
    if (request.signal.aborted) throw embeddedErrors.cancelled();
    const leave = queue.enter(request.accountId);
    const deadline = deadlineOf(options.scheduler, limits.requestMs, request.signal);
    const id = ++lastId;
    let engine: Engine | undefined;
    try {
      engine = await deadline.race(host.use());
      const parts = createMailbox<EngineFrame>();
      engine.request(engineRequest(id, pseudonymOf(request.accountId), request, options.argumentsGrammar), {
        onFrame: (frame) => parts.put(frame),
        onExit: ({ reason }) =>
          parts.fail(reason === 'oom' ? embeddedErrors.outOfMemory() : embeddedErrors.crashed()),
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
): EngineRequest {
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
  frames: Mailbox<EngineFrame>,
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

interface Host {
  /** The running engine, or one that is started now; every `use`, even a failed one, is followed by `release`. */
  use(): Promise<Engine>;
  release(): void;
  close(): Promise<void>;
}

function createHost(options: EngineOptions, idleMs: number): Host {
  let engine: Promise<Engine> | undefined;
  let users = 0;
  let idle: Timer | undefined;

  function start(): Promise<Engine> {
    const starting = startEngine(options);
    const forget = (): void => {
      if (engine === starting) engine = undefined;
    };
    starting.then(({ exited }) => void exited.then(forget), forget);
    return starting;
  }

  async function stop(): Promise<void> {
    const stopping = engine;
    engine = undefined;
    await (await stopping?.catch(() => undefined))?.stop();
  }

  return {
    use() {
      users++;
      idle?.close();
      return (engine ??= start());
    },
    release() {
      if (--users === 0) idle = options.scheduler.after(idleMs, () => void stop());
    },
    async close() {
      idle?.close();
      await stop();
    },
  };
}

function createQueue({ queueMax, queuePerAccountMax }: EmbeddedLimits): {
  enter(account: AccountId): () => void;
} {
  const waiting = new Map<AccountId, number>();
  let total = 0;
  return {
    enter(account) {
      const own = waiting.get(account) ?? 0;
      if (total >= queueMax || own >= queuePerAccountMax) throw embeddedErrors.busy();
      total++;
      waiting.set(account, own + 1);
      return () => {
        total--;
        const left = (waiting.get(account) ?? 1) - 1;
        if (left === 0) waiting.delete(account);
        else waiting.set(account, left);
      };
    },
  };
}

interface Deadline {
  /** The value, unless the time is up (`models.timeout`) or the caller left (`models.cancelled`). */
  race<T>(value: Promise<T>): Promise<T>;
  close(): void;
}

function deadlineOf(scheduler: Scheduler, delayMs: number, signal: AbortSignal): Deadline {
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const cancel = (): void => late.reject(embeddedErrors.cancelled());
  const timer = scheduler.after(delayMs, () => late.reject(embeddedErrors.timeout()));
  signal.addEventListener('abort', cancel);
  return {
    race: (value) => Promise.race([late.promise, value]),
    close() {
      timer.close();
      signal.removeEventListener('abort', cancel);
    },
  };
}
