import { notFound } from '../kernel/errors.ts';
import { createBuildJob, pauseBuild } from './build.ts';
import type { FunctionsContext } from './context.ts';
import type { BuildRow } from './function-store.ts';
import type { BuildEvent, BuildStatus, Functions } from './functions.ts';

/** What an uploader sees of his builds. */
export function createBuilds(
  ctx: FunctionsContext,
): Pick<
  Functions,
  'buildStatus' | 'watchBuild' | 'badBuilds' | 'cleanBadBuild' | 'pauseBuilds' | 'resumeBuilds'
> {
  const running = (accountId: string, buildId: string) => {
    const found = ctx.logs.get(buildId);
    return found?.accountId === accountId ? found.log : undefined;
  };

  return {
    async buildStatus({ accountId }, buildId) {
      const log = running(accountId, buildId);
      if (log !== undefined) return log.status;
      const build = await ctx.store.build(accountId, buildId);
      if (build === undefined) throw notFound('build');
      return STATUS[build.state];
    },
    async *watchBuild({ accountId }, buildId, signal) {
      const log = running(accountId, buildId);
      if (log !== undefined) {
        yield* log.follow(signal);
        return;
      }
      const build = await ctx.store.build(accountId, buildId);
      if (build === undefined) throw notFound('build');
      yield* outcomeOf(build);
    },
    async pauseBuilds(accountId) {
      for (const build of await ctx.store.listPending(accountId)) await pauseBuild(ctx, build);
    },
    async resumeBuilds(accountId) {
      for (const build of await ctx.store.listPending(accountId)) ctx.queue.add(createBuildJob(ctx, build));
    },
    async badBuilds({ accountId }) {
      const builds = await ctx.store.badBuilds(accountId);
      return builds.map(({ id, shortname, name, createdAt, errorDetails }) => ({
        id,
        shortname,
        name,
        createdAt,
        errorDetails,
      }));
    },
    async cleanBadBuild({ accountId }, buildId) {
      const removed = await ctx.store.removeBadBuild(accountId, buildId);
      if (removed === undefined) throw notFound('build');
      return { buildId, functions: removed.functionGone ? [removed.shortname] : [] };
    },
  };
}

const STATUS: Record<BuildRow['state'], BuildStatus> = {
  PENDING: 'QUEUED',
  DEPLOYED: 'DEPLOYED',
  FAILED: 'FAILED',
};

function outcomeOf({ state, errorDetails }: BuildRow): BuildEvent[] {
  const status: BuildEvent = { type: 'status', status: STATUS[state] };
  return state === 'FAILED' ? [status, { type: 'failed', errorDetails }] : [status];
}
