import type { FastifyInstance } from 'fastify';
import { type FunctionResource, apiV1Routes as routes, openApiDocument } from '../../../contract/index.ts';
import type { Principal } from '../../accounts/principal.ts';
import type { LibraryFunction } from '../../functions/functions.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { type ApiKeyId } from '../../kernel/ids.ts';
import { bind, fastifyPath } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { serveEventStreams } from './event-streams.ts';
import { servePrivacy } from './serve-privacy.ts';
import { meOf, serveProfile } from './serve-profile.ts';
import { callStatistics } from './call-statistics.ts';
import { listCalls } from './list-calls.ts';

/** The versioned API. Errors are RFC 9457 problems. */
export function serveApiV1(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, runtimes, publicUrl, version } = options;
  serveAccount(app, options);
  serveProfile(app, options);
  servePrivacy(app, options);
  serveFunctions(app, options);
  serveEventStreams(app, options);
  bind(app, accounts, routes.listCalls, ({ principal, query }) => listCalls(options, principal, query));
  bind(app, accounts, routes.getCallStatistics, ({ principal, query }) =>
    callStatistics(options, principal, query),
  );
  bind(app, accounts, routes.listRuntimes, async () => ({
    runtimes: runtimes.map(({ id, available, detail }) => ({ id, available, detail })),
  }));
  app.get(fastifyPath(routes.getReceiptKeys), async () => ({ keys: [options.receiptKey] }));
  app.get(fastifyPath(routes.getOpenApi), async () => openApiDocument(publicUrl(), version));
}

function serveAccount(app: FastifyInstance, { accounts }: ControlPlaneOptions): void {
  bind(app, accounts, routes.getMe, async ({ principal }) => meOf(await accounts.get(principal.accountId)));

  bind(app, accounts, routes.listApiKeys, async ({ principal }) => ({
    apiKeys: (await accounts.listKeys(principal)).map(({ id, createdAt }) => ({
      id,
      createdAt: rfc3339(createdAt),
      current: id === principal.keyId,
    })),
  }));

  bind(app, accounts, routes.createApiKey, async ({ unlock }) => {
    const { info, apiKey } = await accounts.createKey(await unlock());
    return { id: info.id, createdAt: rfc3339(info.createdAt), apiKey: apiKey.reveal() };
  });

  bind(app, accounts, routes.revokeApiKey, ({ principal, params }) =>
    accounts.revokeKey(principal, params.id as ApiKeyId),
  );
}

function serveFunctions(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, functions } = options;
  bind(app, accounts, routes.listFunctions, async ({ principal }) => ({
    functions: (await functions.library(principal))
      .map((fn) => functionResource(fn, principal, options))
      .toSorted((a, b) => (a.shortname < b.shortname ? -1 : 1)),
  }));
  bind(app, accounts, routes.getFunction, async ({ principal, params }) =>
    functionResource(await functions.get(principal, params.shortname), principal, options),
  );
  bind(app, accounts, routes.deleteFunction, ({ principal, params, query }) =>
    functions.delete(principal, params.shortname, query.version),
  );
}

function functionResource(
  fn: LibraryFunction,
  { accountId }: Principal,
  { pool, publicUrl }: Pick<ControlPlaneOptions, 'pool' | 'publicUrl'>,
): FunctionResource {
  const { shortname, name, description, ownerName, mine, active, published, tags, ai } = fn;
  return {
    shortname,
    name,
    description,
    ownerName,
    mine,
    active,
    published,
    createdAt: rfc3339(fn.createdAt),
    updatedAt: rfc3339(fn.updatedAt),
    tags: [...tags],
    ai,
    versions: fn.versions.map(({ version, releasedAt, spec, runtimeDetail, deployments, statistics }) => ({
      version,
      releasedAt: rfc3339(releasedAt),
      runtime: spec.runtime,
      runtimeDetail,
      entrypoint: spec.entrypoint,
      requestType: spec.requestType,
      egress: [...spec.egress],
      timeoutSeconds: spec.timeoutSeconds,
      corsOrigins: [...spec.corsOrigins],
      deployments: deployments.map(({ id, size }) => ({
        id,
        size,
        url: `${publicUrl()}/${id}`,
        instances: pool.instancesOf(id, accountId),
      })),
      statistics: { ...statistics, avgDurationMs: Math.round(statistics.avgDurationMs) },
    })),
  };
}
