import { uploadBlob, versionBlobs } from './blobs.ts';
import { createBuildJob, failBuild } from './build.ts';
import type { FunctionsContext } from './context.ts';
import { removeVersion } from './delete.ts';
import { deploymentsOf } from './directory.ts';
import type { PendingBuild } from './function-store.ts';

/** A build that takes the platform down each time must not do so for ever. */
const ATTEMPTS_MAX = 5;

/**
 * What the start does: loads the directory, ends interrupted deletions and failed deploys, sweeps what belongs
 * to nothing, and resumes builds that the last end interrupted. Runs before anything else may change.
 */
export async function recover(ctx: FunctionsContext): Promise<{ resumed: number }> {
  const keep = new Set<string>();
  await loadDirectory(ctx, keep);
  const builds = await resumable(ctx, keep);
  await ctx.blobs.sweep(keep);
  for (const build of builds) ctx.queue.add(createBuildJob(ctx, build));
  if (builds.length > 0) ctx.events.emit('build.resumed', { count: builds.length });
  return { resumed: builds.length };
}

async function loadDirectory(ctx: FunctionsContext, keep: Set<string>): Promise<void> {
  for (const { fn, version } of await ctx.store.liveVersions()) {
    const [code, source] = versionBlobs(fn.id, version.version);
    if (await ctx.blobs.isDestroyed(code)) {
      // What rests is not tidied up either.
      if (ctx.restriction?.isRestricted(fn.ownerId) === true) continue;
      await removeVersion(ctx, fn, version.version);
    } else {
      ctx.directory.add(deploymentsOf(fn, version));
      keep.add(code).add(source);
    }
  }
}

async function resumable(ctx: FunctionsContext, keep: Set<string>): Promise<PendingBuild[]> {
  const builds: PendingBuild[] = [];
  for (const build of await ctx.store.resumePending()) {
    const upload = uploadBlob(build.id);
    if (ctx.restriction?.isRestricted(build.accountId) === true) {
      keep.add(upload);
      continue;
    }
    // Code of a version that never went live, with its key.
    await ctx.blobs.remove(...versionBlobs(build.functionId, build.version));
    if (!(await ctx.blobs.has(upload))) {
      // The crash came before the upload was durable: nobody was told of this build.
      await ctx.blobs.remove(upload);
      await ctx.store.abandonBuild(build.accountId, build.id);
    } else if (build.attempts > ATTEMPTS_MAX) {
      await failBuild(ctx, build, 'The platform ended again and again during this build. Deploy again.');
    } else {
      builds.push(build);
      keep.add(upload);
    }
  }
  return builds;
}
