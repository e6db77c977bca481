import { availableParallelism } from 'node:os';
import type { Clock } from '../kernel/clock.ts';
import type { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { type Scheduler, within } from '../kernel/scheduler.ts';
import type { Jail, JailedProcess, JailExit, JailLimits, JailSpec } from '../sandbox/jail.ts';

/**
 * A program of ours in a jail of its own that answers requests of many callers: JSON lines both ways on the control
 * socket. It is told `{ t: 'load', … }` first and says `{ t: 'ready', … }` or `{ t: 'unloadable' }`; then each
 * `{ t: 'request', id, … }` is answered with frames of that id. It reads hostile content and may be taken over, so a
 * line that is no such frame ends it.
 */
export interface Engine<Frame extends EngineFrame, Ready = object> {
  /** What it said when it was ready. */
  readonly ready: Ready;
  /** `onFrame` hears this request's frames until its last, or `onEnd` why the process ended before. */
  request(message: { readonly id: number }, listener: EngineListener<Frame>): void;
  cancel(id: number): void;
  readonly exited: Promise<JailExit>;
  /** Kills the process and waits for its end. */
  stop(): Promise<void>;
}

export interface EngineFrame {
  readonly t: string;
}

export interface EngineListener<Frame> {
  onFrame(frame: Frame): void;
  onEnd(error: PlatformError): void;
}

export interface EngineParts {
  readonly jail: Pick<Jail, 'start'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
}

export interface EngineSpec {
  /** Events are called `<name>.started` and `<name>.ended`; without one nothing is logged. */
  readonly name?: 'model' | 'embedder' | 'sql';
  readonly process: JailSpec;
  /** Fields of the `load` message. */
  readonly load: object;
  readonly loadMs: number;
  /** Every kind of frame with its fields; all but `ready` and `unloadable` have an `id`, too. */
  readonly frames: Readonly<Record<string, FrameFields>>;
  /** Kinds that end a request. */
  readonly lastFrames: readonly string[];
  readonly lineCharactersMax: number;
  readonly errors: EngineErrors;
}

/** What a jail needs in which an engine runs. */
export interface EngineNeeds extends Pick<JailSpec, 'binds'>, Pick<JailLimits, 'memoryMib' | 'cpuPercent'> {}

export type FrameFields = Readonly<Record<string, 'string' | 'number'>>;

export interface EngineErrors {
  notLoaded(): PlatformError;
  outOfMemory(): PlatformError;
  crashed(): PlatformError;
}

/** Of a model: all cores but one, which calls keep, because threads that wait for each other stall when a core is taken. */
export const ENGINE_THREADS = Math.min(Math.max(availableParallelism() - 1, 1), 8);

/** Starts the jail and waits until the engine is ready. Rejects with `sandbox.*`, or one of the spec's errors. */
export async function startEngine<Frame extends EngineFrame, Ready = object>(
  { jail, clock, scheduler, events }: EngineParts,
  spec: EngineSpec,
): Promise<Engine<Frame, Ready>> {
  const from = clock.monotonicMs();
  const process = await jail.start(spec.process);
  // Whatever a native library prints may hold content: it is read so that no pipe fills up, and dropped.
  process.stdout.resume();
  process.stderr.resume();
  const { name } = spec;
  if (name !== undefined) void process.exited.then(({ reason }) => events.emit(`${name}.ended`, { reason }));
  const { engine, loaded } = serve<Frame>(process, spec);
  send(process, { t: 'load', ...spec.load });
  const ready = await within(scheduler, spec.loadMs, loaded);
  if (ready?.t !== 'ready') {
    const exit = await process.kill();
    throw exit.reason === 'oom' ? spec.errors.outOfMemory() : spec.errors.notLoaded();
  }
  if (name !== undefined) events.emit(`${name}.started`, { took: clock.monotonicMs() - from });
  return { ...engine, ready: ready as Ready };
}

function serve<Frame extends EngineFrame>(
  process: JailedProcess,
  { frames, lastFrames, lineCharactersMax, errors }: EngineSpec,
): { engine: Omit<Engine<Frame>, 'ready'>; loaded: Promise<EngineFrame | undefined> } {
  const listeners = new Map<number, EngineListener<Frame>>();
  const loaded = Promise.withResolvers<EngineFrame | undefined>();
  let ended: PlatformError | undefined;

  function hear(line: string): void {
    const frame = parseFrame(line, frames);
    if (frame === undefined) return void process.kill();
    if (frame.id === undefined) return loaded.resolve(frame);
    const listener = listeners.get(frame.id);
    if (lastFrames.includes(frame.t)) listeners.delete(frame.id);
    listener?.onFrame(frame as EngineFrame as Frame);
  }

  // Chunks of an unfinished line are kept apart: joining them at each arrival would cost the square of its length.
  let pending: string[] = [];
  let pendingCharacters = 0;
  process.control.setEncoding('utf8').on('data', (chunk: string) => {
    const [rest, ...others] = chunk.split('\n');
    pending.push(rest ?? '');
    pendingCharacters += rest?.length ?? 0;
    for (const next of others) {
      hear(pending.join(''));
      pending = [next];
      pendingCharacters = next.length;
    }
    if (pendingCharacters > lineCharactersMax) void process.kill();
  });
  process.control.on('error', () => {});
  void process.exited.then(({ reason }) => {
    ended = reason === 'oom' ? errors.outOfMemory() : errors.crashed();
    loaded.resolve(undefined);
    for (const listener of listeners.values()) listener.onEnd(ended);
    listeners.clear();
  });

  const engine: Omit<Engine<Frame>, 'ready'> = {
    request(message, listener) {
      if (ended !== undefined) return listener.onEnd(ended);
      listeners.set(message.id, listener);
      send(process, { t: 'request', ...message });
    },
    cancel: (id) => send(process, { t: 'cancel', id }),
    exited: process.exited,
    stop: async () => void (await process.kill()),
  };
  return { engine, loaded: loaded.promise };
}

function send({ control }: JailedProcess, message: unknown): void {
  if (control.writable) control.write(`${JSON.stringify(message)}\n`);
}

/** Undefined for anything else than a frame with the fields of its kind. */
function parseFrame(
  line: string,
  frames: EngineSpec['frames'],
): (EngineFrame & { readonly id?: number }) | undefined {
  let frame: Partial<Record<string, unknown>> | null;
  try {
    frame = JSON.parse(line) as typeof frame;
  } catch {
    return undefined;
  }
  const kind = frame?.['t'];
  if (frame === null || typeof kind !== 'string' || !Object.hasOwn(frames, kind)) return undefined;
  const isOfRequest = kind !== 'ready' && kind !== 'unloadable';
  const fields = { ...frames[kind], ...(isOfRequest && { id: 'number' }) };
  if (!isOfRequest && 'id' in frame) return undefined;
  const fits = Object.entries(fields).every(([name, type]) => typeof frame[name] === type);
  return fits ? (frame as unknown as EngineFrame) : undefined;
}
