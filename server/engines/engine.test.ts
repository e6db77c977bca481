import { duplexPair, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import { createEventLog } from '../kernel/events.ts';
import { systemScheduler } from '../kernel/scheduler.ts';
import type { JailedProcess, JailExit, JailSpec } from '../sandbox/jail.ts';
import { type Engine, type EngineFrame, startEngine } from './engine.ts';

const failed = (code: string): PlatformError =>
  new PlatformError({ kind: 'unavailable', code, message: code });
const PROCESS: JailSpec = {
  argv: [],
  env: {},
  binds: [],
  limits: { memoryMib: 1, tasks: 1, cpuPercent: 1, tmpMib: 1 },
};

interface Played {
  readonly engine: Promise<Engine<EngineFrame>>;
  /** Writes to the server. */
  readonly say: (text: string) => void;
  readonly exited: Promise<JailExit>;
}

/** An engine whose other end the test plays: what a program that was taken over could say. */
function play(): Played {
  const [control, inside] = duplexPair();
  const exit = Promise.withResolvers<JailExit>();
  const end: JailExit = { reason: 'killed', code: null };
  const process = {
    uid: 1,
    pid: 1,
    control,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    exited: exit.promise,
    kill: async () => await Promise.resolve(end).finally(() => exit.resolve(end)),
  } as unknown as JailedProcess;
  const engine = startEngine(
    {
      jail: { start: async () => await Promise.resolve(process) },
      clock: systemClock,
      scheduler: systemScheduler,
      events: createEventLog(() => undefined, Date.now),
    },
    {
      name: 'model',
      process: PROCESS,
      load: {},
      loadMs: 10_000,
      frames: { ready: { size: 'number' }, unloadable: {}, part: { text: 'string' }, end: {} },
      lastFrames: ['end'],
      lineCharactersMax: 200,
      errors: {
        notLoaded: () => failed('not_loaded'),
        outOfMemory: () => failed('out_of_memory'),
        crashed: () => failed('crashed'),
      },
    },
  );
  inside.resume();
  return { engine, say: (text) => void inside.write(text), exited: exit.promise };
}

const READY = '{"t":"ready","size":3}\n';

function listen(engine: Engine<EngineFrame>, id: number): { frames: EngineFrame[]; ended: Promise<unknown> } {
  const frames: EngineFrame[] = [];
  const ended = new Promise((resolve) => {
    engine.request({ id }, { onFrame: (frame) => void frames.push(frame), onEnd: resolve });
  });
  return { frames, ended };
}

test('frames reach the request that they belong to, however they are split, until its last', async () => {
  const { engine: starting, say } = play();
  say(READY.slice(0, 5));
  say(READY.slice(5));
  const engine = await starting;
  expect(engine.ready).toEqual({ t: 'ready', size: 3 });
  const first = listen(engine, 1);
  const second = listen(engine, 2);
  say('{"t":"part","id":2,"text":"b"}\n{"t":"part","id":1,');
  say('"text":"a"}\n{"t":"end","id":1}\n{"t":"part","id":1,"text":"late"}\n');
  say('{"t":"end","id":2}\n');
  await expect.poll(() => second.frames).toHaveLength(2);
  expect(first.frames.map(({ t }) => t)).toEqual(['part', 'end']);
  await engine.stop();
});

test.each([
  ['no JSON', 'hello\n'],
  ['null', 'null\n'],
  ['a frame of an unknown kind', '{"t":"exec","id":1}\n'],
  ['a kind of every object', '{"t":"constructor","id":1}\n'],
  ['a frame without its fields', '{"t":"part","id":1}\n'],
  ['a frame of nobody', '{"t":"part","text":"a"}\n'],
  ['a line without end', 'x'.repeat(300)],
])('an engine that says %s is ended, and its requests are told', async (_, text) => {
  const { engine: starting, say, exited } = play();
  say(READY);
  const { ended } = listen(await starting, 1);
  say(text);
  expect(await exited).toMatchObject({ reason: 'killed' });
  expect(await ended).toMatchObject({ code: 'crashed' });
});

test('a request to an engine that has ended is told so at once', async () => {
  const { engine: starting, say } = play();
  say(READY);
  const engine = await starting;
  await engine.stop();
  expect(await listen(engine, 1).ended).toMatchObject({ code: 'crashed' });
});

test.each([
  '{"t":"unloadable"}\n',
  '{"t":"ready"}\n',
  '{"t":"ready","size":"3"}\n',
  '{"t":"end","id":1}\n{}\n',
])('an engine that begins with %s never starts', async (text) => {
  const { engine, say, exited } = play();
  say(text);
  await expect(engine).rejects.toMatchObject({ code: 'not_loaded' });
  await exited;
});
