import { notFound } from '../kernel/errors.ts';
import { versionBlobs } from './blobs.ts';
import { cancelBuild } from './build.ts';
import type { FunctionsContext } from './context.ts';
import type { FunctionRow } from './function-store.ts';
import type { Functions } from './functions.ts';
import { normaliseShortname } from './spec-fields.ts';

/**
 * Deletion is the destruction of keys; files and rows follow. When a crash comes between, the next start removes
 * the versions whose key is gone, and a restored old store cannot bring them back either. A build of the
 * function that waits or runs is cancelled first.
 */
export function createDelete(ctx: FunctionsContext): Functions['delete'] {
  return async ({ accountId }, shortname, version) => {
    const name = normaliseShortname(shortname);
    const fn = await ctx.store.own(accountId, name);
    if (fn === undefined) throw notFound('function');
    if (version !== undefined) {
      await ctx.changeInTurn(() => deleteVersion(ctx, fn, version));
      return;
    }
    await endFunction(ctx, fn);
  };
}

/** All functions of an account, as `createDelete` deletes one; an upload that is being accepted is waited for. */
export function createErase(ctx: FunctionsContext): Functions['erase'] {
  return async (accountId) => {
    for (const fn of await ctx.uploadInTurn(() => ctx.store.listOwn(accountId))) await endFunction(ctx, fn);
  };
}

async function endFunction(ctx: FunctionsContext, fn: FunctionRow): Promise<void> {
  const { id, ownerId: accountId } = fn;
  const buildId = await ctx.store.pendingBuild(accountId, id);
  if (buildId !== undefined) await cancelBuild(ctx, { id: buildId, accountId });
  await ctx.changeInTurn(() => deleteFunction(ctx, fn));
}

async function deleteVersion(ctx: FunctionsContext, fn: FunctionRow, version: number): Promise<void> {
  if ((await ctx.store.version(fn.id, version)) === undefined) throw notFound('version');
  await removeVersion(ctx, fn, version);
}

async function deleteFunction(ctx: FunctionsContext, fn: FunctionRow): Promise<void> {
  for (const { version } of await ctx.store.versions(fn.id)) {
    ctx.directory.retire(fn.id, version);
    await ctx.blobs.remove(...versionBlobs(fn.id, version));
  }
  await ctx.store.removeFunction(fn.ownerId, fn.id);
}

/** Retires, destroys the key, unlinks, and removes the row: in this order each step can be repeated. */
export async function removeVersion(ctx: FunctionsContext, fn: FunctionRow, version: number): Promise<void> {
  ctx.directory.retire(fn.id, version);
  await ctx.blobs.remove(...versionBlobs(fn.id, version));
  await ctx.store.removeVersion(fn.ownerId, fn.id, version);
}
