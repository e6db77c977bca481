import type { Principal } from '../accounts/principal.ts';
import type { CallStatistics } from '../calls/call-record.ts';
import { notFound } from '../kernel/errors.ts';
import { parseChangelog } from './changelog.ts';
import type { FunctionsContext } from './context.ts';
import { deploymentsOf } from './directory.ts';
import type { FunctionRow, VersionRow } from './function-store.ts';
import type { Functions, FunctionVersion, LibraryFunction } from './functions.ts';
import { normaliseShortname } from './spec-fields.ts';

type Callable = Awaited<ReturnType<Functions['lookup']>>;

const NO_CALLS: CallStatistics = { invocations: 0, failures: 0, avgDurationMs: 0 };

/**
 * The catalogue: own functions and published ones. Anything else answers exactly as if it were not there.
 * Specs and texts are read from the store for each answer; nothing of them stays in memory.
 */
export function createLibrary(
  ctx: FunctionsContext,
): Pick<Functions, 'library' | 'catalogue' | 'get' | 'exists' | 'setPublished' | 'lookup'> {
  async function visible(principal: Principal, shortname: string): Promise<FunctionRow> {
    const fn = await ctx.store.findVisible(principal.accountId, normaliseShortname(shortname));
    if (fn === undefined) throw notFound('function');
    return fn;
  }

  async function newestOrGiven(fn: FunctionRow, version?: number): Promise<Callable | undefined> {
    const found = await ctx.store.version(fn.id, version);
    const [deployment] = found === undefined ? [] : deploymentsOf(fn, found);
    return found && deployment && { deployment, spec: found.spec };
  }

  return {
    async library(principal) {
      const entries: LibraryFunction[] = [];
      for (const fn of await ctx.store.listVisible(principal.accountId)) {
        const entry = await describe(ctx, principal, fn);
        if (entry !== undefined) entries.push(entry);
      }
      return entries;
    },
    async catalogue(principal) {
      const callable: Callable[] = [];
      for (const fn of await ctx.store.listVisible(principal.accountId)) {
        const found = await newestOrGiven(fn);
        if (found !== undefined) callable.push(found);
      }
      return callable;
    },
    async get(principal, shortname) {
      return await describeOrNotFound(ctx, principal, await visible(principal, shortname));
    },
    exists: (shortname) => ctx.store.shortnameTaken(normaliseShortname(shortname)),
    async setPublished(principal, shortname, published) {
      const fn = await ctx.changeInTurn(async () => {
        const change = { published, now: ctx.clock.now() };
        const changed = await ctx.store.setPublished(
          principal.accountId,
          normaliseShortname(shortname),
          change,
        );
        if (changed === undefined) throw notFound('function');
        ctx.directory.setPublished(changed.id, published);
        return changed;
      });
      return await describeOrNotFound(ctx, principal, fn);
    },
    async lookup(principal, shortname, version) {
      const found = await newestOrGiven(await visible(principal, shortname), version);
      if (found === undefined) throw notFound('function');
      return found;
    },
  };
}

async function describeOrNotFound(
  ctx: FunctionsContext,
  principal: Principal,
  fn: FunctionRow,
): Promise<LibraryFunction> {
  const entry = await describe(ctx, principal, fn);
  if (entry === undefined) throw notFound('function');
  return entry;
}

/** Undefined when its last version was deleted meanwhile. */
async function describe(
  ctx: FunctionsContext,
  principal: Principal,
  fn: FunctionRow,
): Promise<LibraryFunction | undefined> {
  const versions = await ctx.store.versions(fn.id);
  const [newest] = versions;
  if (newest === undefined) return undefined;
  const statistics = await ctx.statistics(fn.id);
  return {
    id: fn.id,
    shortname: fn.shortname,
    name: newest.spec.name,
    description: newest.spec.description,
    ownerName: await ctx.accountName(fn.ownerId),
    mine: fn.ownerId === principal.accountId,
    active: true,
    published: fn.published,
    createdAt: fn.createdAt,
    updatedAt: fn.updatedAt,
    tags: newest.spec.tags,
    ai: newest.spec.ai,
    versions: versions.map((version) => describeVersion(fn, version, statistics)),
  };
}

function describeVersion(
  fn: FunctionRow,
  version: VersionRow,
  statistics: ReadonlyMap<number, CallStatistics>,
): FunctionVersion {
  return {
    version: version.version,
    releasedAt: version.releasedAt,
    spec: version.spec,
    runtimeDetail: version.runtimeDetail,
    readme: version.readme,
    changelogText: version.changelogText,
    changelog: parseChangelog(version.changelogText, version.releasedAt),
    deployments: deploymentsOf(fn, version),
    statistics: statistics.get(version.version) ?? NO_CALLS,
  };
}
