import { availableParallelism } from 'node:os';
import { createSerial } from '../kernel/serial.ts';
import { codeBlob, createBlobs } from './blobs.ts';
import { createBuildQueue } from './build-queue.ts';
import { createBuilds } from './builds.ts';
import type { FunctionsContext, FunctionsPorts } from './context.ts';
import { createFunctionsCopier } from './copier.ts';
import { createDelete, createErase } from './delete.ts';
import { createDeploy } from './deploy.ts';
import { createDirectory } from './directory.ts';
import type { Functions } from './functions.ts';
import { createLibrary } from './library.ts';
import { recover } from './recover.ts';
import { decodeTree } from './tree-codec.ts';

const BUILDS_AT_A_TIME_MAX = 2;
const BUILD_DEADLINE_MS = 10 * 60_000;

/** Call `recover` once before the first request, and `close` before the store and the key ring close. */
export function createFunctions(ports: FunctionsPorts): Functions {
  const blobs = createBlobs({ dir: ports.blobsDir, keyRing: ports.keyRing });
  const directory = createDirectory(async (functionId, version) =>
    decodeTree(await blobs.get(codeBlob(functionId, version))),
  );
  const ctx: FunctionsContext = {
    ...ports,
    buildDeadlineMs: ports.buildDeadlineMs ?? BUILD_DEADLINE_MS,
    blobs,
    directory,
    queue: createBuildQueue(ports.buildConcurrency ?? Math.min(availableParallelism(), BUILDS_AT_A_TIME_MAX)),
    logs: new Map(),
    uploadInTurn: createSerial(),
    changeInTurn: createSerial(),
  };
  const builds = createBuilds(ctx);
  const deploy = createDeploy(ctx);
  return {
    deploy,
    ...builds,
    copier: createFunctionsCopier(ctx, { deploy, ...builds }),
    ...createLibrary(ctx),
    delete: createDelete(ctx),
    rotateKeys: (accountId) => blobs.rotateKeys(accountId),
    erase: createErase(ctx),
    directory,
    recover: () => recover(ctx),
    async close() {
      await ctx.queue.close();
      for (const { log } of ctx.logs.values()) log.end();
      ctx.logs.clear();
    },
  };
}
