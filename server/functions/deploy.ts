import type { Principal } from '../accounts/principal.ts';
import { PlatformError } from '../kernel/errors.ts';
import { newId, newXid } from '../kernel/ids.ts';
import type { BuildId } from '../kernel/ids.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { RuntimeStatus } from '../languages/language.ts';
import { readArchive } from './archive.ts';
import { uploadBlob } from './blobs.ts';
import { createBuildJob } from './build.ts';
import type { FunctionsContext } from './context.ts';
import { deploymentId } from './directory.ts';
import { readDocuments, readSpec } from './documents.ts';
import type { BeginOutcome } from './function-store.ts';
import type { Functions } from './functions.ts';
import type { FunctionSpec } from './spec.ts';
import { encodeTree } from './tree-codec.ts';

const BOUNDS = { functionsPerAccountMax: 5_000, versionsPerFunctionMax: 1_000 } as const;

/** Checks an upload, makes it durable, puts its build into the queue, and only then answers. */
export function createDeploy(ctx: FunctionsContext): Functions['deploy'] {
  return async (principal, zip) => {
    const slot = ctx.queue.reserve(principal.accountId);
    try {
      const { begun, spec, runtime } = await ctx.uploadInTurn(() => accept(ctx, principal, zip));
      const { build, currentVersion } = begun;
      slot.enqueue(createBuildJob(ctx, build));
      return {
        shortname: build.shortname,
        isNew: currentVersion === null,
        currentVersion,
        deployingVersion: build.version,
        runtimeDetail: runtime.detail,
        // One build makes all sizes of a version, so they share its id.
        operations: spec.sizes.map((size) => ({
          size,
          buildId: build.id,
          deploymentId: deploymentId(build.shortname, build, size),
        })),
      };
    } finally {
      slot.release();
    }
  };
}

type Begun = Extract<BeginOutcome, { outcome: 'begun' }>;

async function accept(
  ctx: FunctionsContext,
  { accountId }: Principal,
  zip: Uint8Array,
): Promise<{ begun: Begun; spec: FunctionSpec; runtime: RuntimeStatus }> {
  const source = await readArchive(zip);
  const spec = readSpec(source);
  readDocuments(source);
  const runtime = availableRuntime(ctx, spec);
  const now = ctx.clock.now();
  const begun = await ctx.store.beginBuild(accountId, {
    buildId: newId<BuildId>('bld'),
    functionId: newId('fn'),
    shortname: spec.shortname,
    name: spec.name,
    xid: newXid(now),
    now,
    ...BOUNDS,
  });
  if (begun.outcome !== 'begun') throw refusal(begun.outcome, spec.shortname);
  await keepUpload(ctx, begun, source);
  return { begun, spec, runtime };
}

async function keepUpload(ctx: FunctionsContext, { build }: Begun, source: SourceTree): Promise<void> {
  const name = uploadBlob(build.id);
  try {
    await ctx.blobs.put(name, build.accountId, encodeTree(source));
  } catch (thrown) {
    await ctx.blobs.remove(name);
    await ctx.store.abandonBuild(build.accountId, build.id);
    throw thrown;
  }
}

function availableRuntime(ctx: FunctionsContext, { runtime }: FunctionSpec): RuntimeStatus {
  const status = ctx.languages(runtime)?.runtimes.find(({ id }) => id === runtime);
  if (status?.available === true) return status;
  throw new PlatformError({
    kind: 'failed_precondition',
    code: 'functions.runtime_unavailable',
    message: `The runtime ${runtime} is not available on this machine. ${status?.detail ?? ''}`.trimEnd(),
  });
}

function refusal(outcome: Exclude<BeginOutcome['outcome'], 'begun'>, shortname: string): PlatformError {
  switch (outcome) {
    case 'taken':
      return new PlatformError({
        kind: 'conflict',
        code: 'functions.shortname_taken',
        message: `The shortname ${shortname} belongs to another account. Choose another one in jellyspec.json.`,
      });
    case 'in_progress':
      return new PlatformError({
        kind: 'conflict',
        code: 'functions.deploy_in_progress',
        message: `A build of ${shortname} is still running. Wait for its end, then deploy again.`,
      });
    case 'too_many_functions':
      return tooMany(`${BOUNDS.functionsPerAccountMax} functions`, 'Delete one that is not needed.');
    case 'too_many_versions':
      return tooMany(`${BOUNDS.versionsPerFunctionMax} versions of ${shortname}`, 'Delete old versions.');
  }
}

function tooMany(what: string, remedy: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'functions.too_many',
    message: `There are ${what} already, the most that an account may have. ${remedy}`,
  });
}
