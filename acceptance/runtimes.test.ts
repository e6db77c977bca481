import { describe, expect, inject, it } from 'vitest';
import { startCanaryRun } from '../privacy/harness/canary.ts';
import { sweepMemory } from '../privacy/harness/memory.ts';
import { type Deployed, createClient, fixtureFiles, templateFiles, zip } from '../testkit/index.ts';
import {
  NO_SUCH_PACKAGE,
  RUNTIMES,
  type Runtime,
  probeFiles,
  withUnknownDependency,
} from './runtime-probes.ts';
import { createSealedCaller } from './sealed-caller.ts';

/** What every runtime promises, proved with real toolchains and real registries. */
const { url, apiKey, pid } = inject('platform');
const owner = createClient(url, apiKey);
const withKey = { headers: { 'x-jf-apikey': apiKey } };

const RAN_BY: Record<Runtime, RegExp> = {
  nodejs20: /Node.* 20\.\d+\.\d+/,
  nodejs22: /Node.* 22\.\d+\.\d+/,
  nodejs24: /Node.* 24\.\d+\.\d+/,
  python312: /CPython 3\.(1[1-9]|[2-9]\d)\.\d+/,
  go122: /Go 1\.(2[2-9]|[3-9]\d)/,
  java21: /OpenJDK (17|2[1-9])/,
};

const offered = (await (await fetch(`${url}/api/v1/runtimes`, withKey)).json()) as {
  runtimes: { id: string; available: boolean; detail: string }[];
};

type BuildEvent = { type: string; text?: string; status?: string; errorDetails?: string };

/** Uploads and gives all events of the build, up to its end. */
async function eventsOf(folder: string, files: Record<string, string | Uint8Array>): Promise<BuildEvent[]> {
  const upload = await owner.upload(folder, await zip(folder, files));
  const text = await upload.text();
  expect(upload.status, text).toBe(200);
  const { deployedDetails } = JSON.parse(text) as { deployedDetails: { opid: string }[] };
  const events = await fetch(`${url}/api/v1/builds/${deployedDetails[0]?.opid}/events`, withKey);
  return [...(await events.text()).matchAll(/^data: (.*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as BuildEvent,
  );
}

/** Deploys what cannot be built; the message of the bad build. */
async function badBuild(folder: string, files: Record<string, string | Uint8Array>): Promise<string> {
  const last = (await eventsOf(folder, files)).at(-1);
  expect(last).toEqual({ type: 'failed', errorDetails: expect.any(String) });
  return last?.errorDetails ?? '';
}

const BYTES = [['content-type', 'application/octet-stream']] as const;

/** No directory of the host or of the sandbox that the tools ran in. */
const INNER_PATH = /(?<![\w.])\/(home|root|run|tmp|usr|var|opt|work|app)\//;

/** Opens the function's live console, calls, and reads until the line is there; all that it showed. */
async function printsLive(
  deployment: Deployed,
  text: string,
  before?: () => Promise<unknown>,
): Promise<string> {
  const abort = new AbortController();
  const console = await fetch(`${url}/api/v1/functions/${deployment.shortname}/console`, {
    ...withKey,
    signal: abort.signal,
  });
  await before?.();
  const answer = await owner.call(deployment, `?do=log&text=${text}`);
  expect(answer.status).toBe(200);
  const decoder = new TextDecoder();
  let seen = '';
  for await (const chunk of console.body ?? []) {
    seen += decoder.decode(chunk, { stream: true });
    if (seen.includes(`"text":"${text}"`)) break;
  }
  expect(seen).toContain(`data: {"stream":"stdout","text":"${text}"}`);
  abort.abort();
  return seen;
}

for (const runtime of RUNTIMES) {
  const { available, detail } = offered.runtimes.find(({ id }) => id === runtime) ?? {
    available: false,
    detail: 'not known to the server',
  };
  if (!available && process.env['CI'] === undefined) {
    it.skip(`${runtime}: ${detail}`, () => undefined);
    continue;
  }

  describe(runtime, () => {
    const name = `rt${runtime}`;
    let deploying: Promise<Deployed> | undefined;
    const deployProbe = (): Promise<Deployed> =>
      (deploying ??= owner.deploy(`${name}p`, probeFiles(runtime, `${name}p`)));

    it('deploys its template, which answers, and says what runs it', async () => {
      expect([available, detail]).toEqual([true, expect.stringMatching(RAN_BY[runtime])]);
      const greeter = await owner.deploy(name, templateFiles(runtime, { shortname: name }));
      expect(greeter.runtimeDetail).toMatch(RAN_BY[runtime]);
      const answer = await owner.call(greeter, '?name=foo');
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        expect.stringMatching(/^application\/json/),
      ]);
      expect(await answer.json()).toEqual({ greeting: 'hello, foo!' });
      const refused = await owner.call(greeter);
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('name')]);
    });

    it('installs nothing again for the same dependencies', async () => {
      const events = await eventsOf(name, templateFiles(runtime, { shortname: name }));
      expect(events.at(-1)).toEqual({ type: 'status', status: 'DEPLOYED' });
      expect(events.map(({ text }) => text)).not.toContain('Installing dependencies.');
    });

    it('passes a body of 1 MiB, streams, and prints to the live console', async () => {
      const probe = await deployProbe();
      const body = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) % 251);
      const type = { 'content-type': 'application/octet-stream' };
      const echoed = await owner.call(probe, '?do=raw', { method: 'POST', body, headers: type });
      expect(Buffer.compare(Buffer.from(await echoed.arrayBuffer()), body)).toBe(0);

      // The function goes on for a minute after this piece.
      const streamed = await owner.call(probe, '?do=stream&chunks=2&every=60000');
      const reader = streamed.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^(first|chunk 1\n)$/);
      await reader?.cancel();

      await printsLive(probe, `printed-by-${runtime}`);
    });

    it('is called sealed, whole and in a stream, and the server has nothing of it in memory or on a console', async () => {
      const run = startCanaryRun();
      const probe = await deployProbe();
      const sealed = createSealedCaller(owner, probe);
      const content = run.mark('body');
      const path = `/${run.mark('path')}?do=raw`;
      expect((await sealed.call({ path, content, headers: BYTES })).inner).toMatchObject({
        status: 200,
        text: content,
      });

      // The function goes on for a minute after this piece.
      const streamed = sealed.stream({ path: '/?do=stream&chunks=2&every=60000', content, headers: BYTES });
      expect((await streamed.next()).value).toMatch(/^(first|chunk 1\n)$/);
      const console = await printsLive(probe, 'plainly-printed', () =>
        sealed.call({ path: `/?do=log&text=${run.mark('printed')}` }),
      );
      expect(console).not.toContain(run.stem);
      // In its other forms too, privacy/sealed.test.ts searches for it.
      expect(sweepMemory(pid, [{ encoding: 'utf-8', bytes: Buffer.from(run.stem) }])).toEqual([]);
      await streamed.return(undefined);
    });

    it('tells in the words of its tool that a dependency does not exist', async () => {
      const message = await badBuild(`${name}d`, withUnknownDependency(runtime, `${name}d`));
      expect(message).toContain(NO_SUCH_PACKAGE);
      expect(message).not.toMatch(INNER_PATH);
    });
  });
}

describe('a compile error', () => {
  const offers = (runtime: Runtime): boolean =>
    offered.runtimes.some(({ id, available }) => id === runtime && available);

  it.runIf(offers('go122'))('in Go is the compiler’s own, at the place in the upload', async () => {
    const files = {
      ...templateFiles('go122', { shortname: 'rtgobad' }),
      'function.go': 'package greeter\nvar x int = "a"\n',
    };
    const message = await badBuild('rtgobad', files);
    expect(message).toContain('function.go:2:13: cannot use "a"');
    expect(message).not.toMatch(INNER_PATH);
  });

  it.runIf(offers('java21'))('in Java is the compiler’s own, at the place in the upload', async () => {
    const path = 'src/main/java/jfv1/Example.java';
    const files = {
      ...templateFiles('java21', { shortname: 'rtjavabad' }),
      [path]: 'package jfv1;\nclass Example { int x = none; }\n',
    };
    const message = await badBuild('rtjavabad', files);
    expect(message).toContain(`${path}:[2,25] cannot find symbol`);
    expect(message).not.toMatch(INNER_PATH);
  });

  it('in JavaScript names file and line', async () => {
    const files = { ...fixtureFiles('probe', { shortname: 'rtjsbad' }), 'index.js': '\nlet x = ;' };
    expect(await badBuild('rtjsbad', files)).toMatch(/SyntaxError[\s\S]*index\.js:2/);
  });

  it.runIf(offers('python312'))('in Python names file and line', async () => {
    const files = { ...templateFiles('python312', { shortname: 'rtpybad' }), 'main.py': '\ndef broken(:\n' };
    expect(await badBuild('rtpybad', files)).toMatch(/SyntaxError[\s\S]*main\.py:2/);
  });
});

it('a package-lock decides which version is installed, not the newest that fits', async () => {
  const files = {
    ...fixtureFiles('probe', { shortname: 'rtlocked' }),
    'package.json': '{"dependencies":{"nanoid":"^3.0.0"}}',
    'package-lock.json': JSON.stringify({
      lockfileVersion: 3,
      packages: { '': { dependencies: { nanoid: '^3.0.0' } }, 'node_modules/nanoid': { version: '3.3.1' } },
    }),
  };
  const locked = await owner.deploy('rtlocked', files);
  const answer = await owner.call(locked, '?do=eval', {
    method: 'POST',
    body: 'return require("nanoid/package.json").version',
    headers: { 'content-type': 'text/plain' },
  });
  expect(await answer.json()).toEqual({ value: '3.3.1' });
});
