import { stripVTControlCharacters } from 'node:util';
import type { Deployment } from '../calls/deployment.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import { BuildFailure } from '../languages/language.ts';
import type { BuiltFunction } from '../languages/language.ts';
import { codeBlob, sourceBlob, uploadBlob, versionBlobs } from './blobs.ts';
import { createBuildLog, type BuildLog } from './build-log.ts';
import { BUILD_CANCELLED, PLATFORM_CLOSING, type BuildJob } from './build-queue.ts';
import type { FunctionsContext } from './context.ts';
import { deploymentsOf } from './directory.ts';
import { isSource, readDocuments, readSpec } from './documents.ts';
import type { PendingBuild, VersionRow } from './function-store.ts';
import type { FunctionSpec } from './spec.ts';
import { decodeTree, encodeTree, treeDigest } from './tree-codec.ts';

const ERROR_DETAILS_BYTES_MAX = 8 * 1024;
const BAD_BUILDS_PER_FUNCTION_MAX = 10;

/** One attempt at a build. */
interface Attempt {
  readonly build: PendingBuild;
  readonly log: BuildLog;
  /** Fires at cancellation, at the platform's end and at the deadline; the reason tells which. */
  readonly signal: AbortSignal;
}

/** The job that turns a pending build into a live version or into a bad build. */
export function createBuildJob(ctx: FunctionsContext, build: PendingBuild): BuildJob {
  const log = createBuildLog();
  ctx.logs.set(build.id, { accountId: build.accountId, log });
  return {
    accountId: build.accountId,
    buildId: build.id,
    run: async (stop) => {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(ctx.buildDeadlineMs)]);
      await run(ctx, { build, log, signal });
      endLog(ctx, build);
    },
  };
}

/** Stops a build that waits or runs and leaves nothing of it: no row, no upload, no code. */
export async function cancelBuild(
  ctx: FunctionsContext,
  build: Pick<PendingBuild, 'id' | 'accountId'>,
): Promise<void> {
  await pauseBuild(ctx, build);
  await ctx.blobs.remove(uploadBlob(build.id));
  await ctx.store.abandonBuild(build.accountId, build.id);
}

/** Stops a build that waits or runs; row and upload stay for `createBuildJob`. */
export async function pauseBuild(ctx: FunctionsContext, build: Pick<PendingBuild, 'id'>): Promise<void> {
  await ctx.queue.cancel(build.id);
  endLog(ctx, build);
}

/** A bad build instead of the pending one; `message` may be a tool's output of any length. */
export async function failBuild(
  ctx: FunctionsContext,
  build: PendingBuild,
  message: string,
): Promise<string> {
  const errorDetails = bounded(stripVTControlCharacters(message));
  await ctx.store.failBuild(build.accountId, build.id, {
    errorDetails,
    keep: BAD_BUILDS_PER_FUNCTION_MAX,
  });
  await ctx.blobs.remove(uploadBlob(build.id));
  return errorDetails;
}

async function run(ctx: FunctionsContext, attempt: Attempt): Promise<void> {
  const { build, log } = attempt;
  const startedMs = ctx.clock.monotonicMs();
  let ok = true;
  try {
    await makeLive(ctx, attempt);
  } catch (thrown) {
    ok = false;
    await settleFailure(ctx, attempt, thrown);
  }
  const took = ctx.clock.monotonicMs() - startedMs;
  ctx.events.emit('build.finished', { ok, took });
  ctx.buildEnded?.(ok, took);
  if (!ok) return;
  log.setStatus('DEPLOYED');
  // Whatever goes wrong from here on, the version is live; the next start sweeps what is left of the upload.
  await ctx.blobs.remove(uploadBlob(build.id)).catch(() => reportFault(ctx));
}

async function makeLive(ctx: FunctionsContext, { build, log, signal }: Attempt): Promise<void> {
  log.setStatus('BUILDING');
  const upload = await ctx.blobs.get(uploadBlob(build.id));
  const source = decodeTree(upload);
  const spec = readSpec(source);
  ctx.events.emit('build.started', { runtime: spec.runtime });
  const built = await untilAborted(signal, compile(ctx, { build, log, signal }, source, spec));

  log.setStatus('STARTING');
  const code = encodeTree(built.code);
  await ctx.blobs.put(codeBlob(build.functionId, build.version), build.accountId, code);
  // Its owner can take along what he gave, and have it built elsewhere.
  if (!isSource(built.code))
    await ctx.blobs.put(sourceBlob(build.functionId, build.version), build.accountId, upload);
  const version: VersionRow = {
    version: build.version,
    xid: build.xid,
    releasedAt: ctx.clock.now(),
    spec,
    layer: built.layer,
    runtimeDetail: built.runtimeDetail,
    digest: treeDigest(code),
    ...readDocuments(source),
  };
  await untilAborted(signal, ctx.smokeTest(smallestDeployment(build, version), signal));
  await goLive(ctx, { build, log, signal }, version);
}

function compile(
  ctx: FunctionsContext,
  { build, log, signal }: Attempt,
  source: SourceTree,
  { runtime, entrypoint }: FunctionSpec,
): Promise<BuiltFunction> {
  const language = ctx.languages(runtime);
  if (language === undefined) throw new BuildFailure(`No language here serves the runtime ${runtime}.`);
  return language.build({
    accountId: build.accountId,
    runtime,
    source,
    entrypoint,
    signal,
    onProgress: (line) => log.line(line),
  });
}

/** What fits into the smallest size is what every size can load. */
function smallestDeployment(build: PendingBuild, version: VersionRow): Deployment {
  const fn = {
    id: build.functionId,
    ownerId: build.accountId,
    shortname: build.shortname,
    published: false,
  };
  const order = ['s', 'm', 'l'];
  const [smallest] = deploymentsOf(fn, version).toSorted(
    (a, b) => order.indexOf(a.size) - order.indexOf(b.size),
  );
  if (smallest === undefined) throw new Error('a spec without sizes');
  return smallest;
}

async function goLive(ctx: FunctionsContext, { build, signal }: Attempt, version: VersionRow): Promise<void> {
  await ctx.changeInTurn(async () => {
    signal.throwIfAborted();
    const fn = await ctx.store.goLive(build.accountId, build.id, version);
    if (fn === undefined) throw new BuildFailure('The function was deleted while this version was built.');
    ctx.directory.add(deploymentsOf(fn, version));
  });
}

/** Leaves nothing partial behind, and tells the uploader in the tool's own words what went wrong. */
async function settleFailure(ctx: FunctionsContext, attempt: Attempt, thrown: unknown): Promise<void> {
  const { build, log, signal } = attempt;
  let errorDetails = wordsFor(ctx, signal, thrown);
  try {
    await ctx.blobs.remove(...versionBlobs(build.functionId, build.version));
    // Who cancels removes the rest himself; a build that the platform's end interrupts is resumed at its start.
    if (signal.reason === BUILD_CANCELLED || signal.reason === PLATFORM_CLOSING) return;
    errorDetails = await failBuild(ctx, build, errorDetails);
  } catch {
    // The build stays pending in the store, and the next start tries it again.
    reportFault(ctx);
  }
  log.setStatus('FAILED');
  log.failed(errorDetails);
}

function wordsFor(ctx: FunctionsContext, signal: AbortSignal, thrown: unknown): string {
  if (signal.aborted) {
    const minutes = Math.ceil(ctx.buildDeadlineMs / 60_000);
    return `The build took longer than ${minutes} min and was stopped. Make it need less, then deploy again.`;
  }
  if (thrown instanceof BuildFailure || thrown instanceof PlatformError) return thrown.message;
  reportFault(ctx);
  return 'The platform failed to build this version. It is not your fault; deploy again, and tell the operator if it stays.';
}

function reportFault(ctx: FunctionsContext): void {
  ctx.events.emit('server.failed', { code: 'functions.build_fault', area: 'functions' });
}

/** Rejects as soon as the signal fires, so that a tool that ignores it can never hold a build's place. */
async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function bounded(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength <= ERROR_DETAILS_BYTES_MAX) return text;
  // A cut inside a character leaves a replacement character, which takes up to three bytes.
  return `${bytes.subarray(0, ERROR_DETAILS_BYTES_MAX - 6).toString('utf8')}…`;
}

function endLog(ctx: FunctionsContext, build: Pick<PendingBuild, 'id'>): void {
  ctx.logs.get(build.id)?.log.end();
  ctx.logs.delete(build.id);
}
