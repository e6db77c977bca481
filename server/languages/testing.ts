import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { SIZES } from '../calls/deployment.ts';
import type { AccountId } from '../kernel/ids.ts';
import { textFile, type SourceFile, type SourceTree } from '../kernel/source-tree.ts';
import type { EgressPolicy } from '../sandbox/egress-policy.ts';
import type { JailedProcess } from '../sandbox/jail.ts';
import { openTestJail } from '../sandbox/testing.ts';
import type { BuildRequest, BuiltFunction, Language, RuntimeId } from './language.ts';
import type { Registries } from './registries.ts';
import { openToolbox, type Toolbox } from './toolbox.ts';

/** A toolbox on a real jail, with layers in a directory of its own; `close` removes all of it. */
export interface TestToolbox extends Toolbox {
  close(): Promise<void>;
}

export async function openTestToolbox(registries?: Registries): Promise<TestToolbox> {
  const jail = await openTestJail();
  const layerDirectory = await mkdtemp(join(tmpdir(), 'layers-'));
  const toolbox = await openToolbox({
    jail,
    layerDirectory,
    ...(registries === undefined ? {} : { registries }),
  });
  return {
    ...toolbox,
    async close() {
      await jail.close();
      await rm(layerDirectory, { recursive: true });
    },
  };
}

/** The template of a runtime as it would be uploaded. */
export async function templateSource(runtime: RuntimeId): Promise<SourceTree> {
  const root = new URL(`../../templates/${runtime}/`, import.meta.url);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const tree = new Map<string, SourceFile>();
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    tree.set(path.slice(root.pathname.length), { bytes: await readFile(path), executable: false });
  }
  return tree;
}

export function sourceOf(files: Readonly<Record<string, string>>): SourceTree {
  return new Map(Object.entries(files).map(([path, content]) => [path, textFile(content)]));
}

/** A build request of an account whose output nobody reads. */
export function buildRequest(
  runtime: RuntimeId,
  source: SourceTree,
  overrides: Partial<BuildRequest> = {},
): BuildRequest {
  return {
    accountId: 'acct_00000000000000000000' as AccountId,
    runtime,
    source,
    entrypoint: 'Example',
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...overrides,
  };
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A worker that has said `up`. */
export interface TestWorker {
  readonly process: JailedProcess;
  /** Brings the code and loads it; the guest's answer. */
  claim(built: BuiltFunction, entrypoint: string, egress?: boolean): Promise<ClaimAnswer>;
  get(path: string): Promise<TestAnswer>;
  send(method: string, path: string, body: string, contentType: string): Promise<TestAnswer>;
  /** What arrives first of an answer that has not ended; the call is then given up. */
  firstChunk(path: string): Promise<string>;
  /** What the guest printed, once it ended. */
  readonly printed: Promise<string>;
}

export interface ClaimAnswer {
  readonly t: 'ready' | 'failed';
  readonly message?: string;
}

export async function startWorker(
  { jail }: Toolbox,
  language: Language,
  options: { runtime: RuntimeId; built: BuiltFunction; egress?: EgressPolicy },
): Promise<TestWorker> {
  const plan = await language.worker({
    runtime: options.runtime,
    layer: options.built.layer,
    memoryMib: 256,
    isSealed: false,
  });
  const process = await jail.start({
    argv: plan.argv,
    env: plan.env,
    binds: plan.binds,
    limits: SIZES.s,
    ...(options.egress === undefined ? {} : { egress: options.egress }),
  });
  const printed = Promise.all([text(process.stdout), text(process.stderr)]).then((parts) => parts.join(''));
  const messages = createInterface({ input: process.control })[Symbol.asyncIterator]();
  const next = async (): Promise<{ t: string }> => {
    const { value, done } = await messages.next();
    if (done === true) throw new Error(`the guest ended: ${await printed}`);
    return JSON.parse(value as string) as { t: string };
  };
  if ((await next()).t !== 'up') throw new Error('the guest did not say up');
  const socketPath = await process.sealSocket();

  function send(method: string, path: string, body: string, contentType: string): Promise<TestAnswer> {
    return new Promise((resolve, reject) => {
      const headers = contentType === '' ? {} : { 'content-type': contentType };
      const req = request({ socketPath, method, path, headers, agent: false }, (res) => {
        text(res).then((answer) => {
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: answer });
        }, reject);
      });
      req.once('error', reject).end(body);
    });
  }

  return {
    process,
    printed,
    async claim(built, entrypoint, egress = false) {
      await process.writeApp(built.code);
      process.control.write(`${JSON.stringify({ t: 'claim', entrypoint, egress })}\n`);
      return (await next()) as ClaimAnswer;
    },
    async firstChunk(path) {
      const [answer] = (await once(request({ socketPath, path }).end(), 'response')) as [IncomingMessage];
      const [chunk] = (await once(answer, 'data')) as [Buffer];
      answer.destroy();
      return chunk.toString();
    },
    get: (path) => send('GET', path, '', ''),
    send,
  };
}
