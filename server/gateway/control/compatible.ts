import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type DeployResult, type Library, compatibleRoutes as routes } from '../../../contract/index.ts';
import type { Account } from '../../accounts/accounts.ts';
import type { StartedDeploy } from '../../functions/functions.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { invalidKey, presentedKey } from './authenticate.ts';
import { bind, fastifyPath } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { badBuild, functionDetails, libraryItem, lookupRequirements } from './library-form.ts';
import { receiveUpload } from './receive-upload.ts';
import { createSlots } from './slots.ts';

/** auth-service and core-service as the unmodified public clients call them. */
export function serveCompatible(app: FastifyInstance, options: ControlPlaneOptions): void {
  serveAuth(app, options);
  serveEntities(app, options);
  serveLibrary(app, options);
  serveBuilds(app, options);
  serveUpload(app, options);
}

function serveAuth(app: FastifyInstance, { accounts, functions, publicUrl }: ControlPlaneOptions): void {
  // Issuing a token checks the key itself; proving it here as well would double the cost of this hot route.
  app.get(fastifyPath(routes.validate), async (request) => {
    const key = presentedKey(request);
    const issued = key === undefined ? undefined : await accounts.issueToken(key);
    if (issued === undefined) throw invalidKey();
    return { token: issued.token.reveal(), expiry: rfc3339(issued.expiresAt) };
  });

  bind(app, accounts, routes.lookup, async ({ principal, query }) => {
    const { deployment, spec } = await functions.lookup(principal, query.id, query.version);
    return { dns: `${publicUrl()}/${deployment.id}`, requirements: lookupRequirements(spec) };
  });
}

function serveEntities(app: FastifyInstance, { accounts }: ControlPlaneOptions): void {
  bind(app, accounts, routes.listEntities, async ({ principal }) => ({
    entities: (await accounts.list(principal)).map(entity),
  }));

  bind(app, accounts, routes.createEntity, async ({ principal, body }) => {
    const { apiKey } = await accounts.create(principal, body);
    return { password: apiKey.reveal() };
  });
}

function entity({ name, email, createdAt, updatedAt }: Account): Record<'name' | 'email', string> & {
  createdAt: string;
  updatedAt: string;
} {
  return { name, email, createdAt: rfc3339(createdAt), updatedAt: rfc3339(updatedAt) };
}

function serveLibrary(app: FastifyInstance, { accounts, functions, publicUrl }: ControlPlaneOptions): void {
  bind(app, accounts, routes.listLibrary, async ({ principal }): Promise<Library> => {
    const [library, badBuilds] = await Promise.all([
      functions.library(principal),
      functions.badBuilds(principal),
    ]);
    return {
      count: library.length,
      libraryItem: library.map(libraryItem),
      badBuilds: badBuilds.map(badBuild),
      uniqueTags: [...new Set(library.flatMap(({ tags }) => tags))].toSorted(),
    };
  });

  bind(app, accounts, routes.getLibraryItem, async ({ principal, params }) =>
    functionDetails(await functions.get(principal, params.functionId), publicUrl()),
  );
  bind(app, accounts, routes.publish, async ({ principal, params }) =>
    functionDetails(await functions.setPublished(principal, params.functionId, true), publicUrl()),
  );
  bind(app, accounts, routes.withdraw, async ({ principal, params }) =>
    functionDetails(await functions.setPublished(principal, params.functionId, false), publicUrl()),
  );

  bind(app, accounts, routes.exists, async ({ request }) => {
    const functionName = unescapedName(request);
    return { functionName, exists: await functions.exists(functionName) };
  });
}

/** The command line puts the name in unescaped and last, so `&` and `+` belong to it. */
function unescapedName({ raw }: FastifyRequest): string {
  const url = raw.url ?? '';
  const name = url.slice(url.indexOf('name=') + 'name='.length);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function serveBuilds(app: FastifyInstance, { accounts, functions }: ControlPlaneOptions): void {
  bind(app, accounts, routes.getUpload, async ({ principal, params }) => ({
    status: await functions.buildStatus(principal, params.opid),
  }));

  bind(app, accounts, routes.listBadBuilds, async ({ principal }) => {
    const badBuilds = await functions.badBuilds(principal);
    return { count: badBuilds.length, badBuilds: badBuilds.map(badBuild) };
  });

  bind(app, accounts, routes.cleanBadBuild, ({ principal, query }) =>
    functions.cleanBadBuild(principal, query.id),
  );
}

function serveUpload(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, functions, limits, publicUrl } = options;
  const slots = createSlots({
    total: limits.uploadsMax,
    perHolder: limits.uploadsPerAccountMax,
    code: 'upload.too_many',
    what: 'uploads',
  });
  bind(app, accounts, routes.upload, async ({ principal, request }) => {
    const release = slots.take(principal.accountId);
    try {
      const zip = await receiveUpload(request, limits.uploadBytesMax);
      return deployResult(await functions.deploy(principal, zip), publicUrl());
    } finally {
      release();
    }
  });
}

function deployResult(started: StartedDeploy, publicUrl: string): DeployResult {
  return {
    function: started.shortname,
    function_id: started.shortname,
    deployedDetails: started.operations.map(({ size, buildId, deploymentId }) => ({
      size,
      opid: buildId,
      urlLocation: `${publicUrl}/${deploymentId}`,
    })),
    ...(started.currentVersion !== null && {
      currentVersion: started.currentVersion,
      deployingVersion: started.deployingVersion,
    }),
    new: started.isNew,
    runtimeDetail: started.runtimeDetail,
  };
}
