import type { FastifyInstance } from 'fastify';
import { type AimeeSite, aimeeRoutes as routes } from '../../../contract/index.ts';
import type { Site } from '../../aimee/sites.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { bind } from '../control/bind.ts';
import type { AimeeOptions } from './parts.ts';
import { snippetOf } from './snippet.ts';

export function serveSites(
  app: FastifyInstance,
  { accounts, publicUrl, aimee: { service, widget } }: AimeeOptions,
): void {
  const { sites } = service;
  bind(app, accounts, routes.listAimeeSites, async ({ principal }) => ({
    sites: (await sites.list(principal.accountId)).map(shown),
    canSendMail: service.canSendMail,
  }));
  bind(app, accounts, routes.createAimeeSite, async ({ principal, unlock, body }) =>
    shown(await sites.create(principal, await unlock(), body)),
  );
  bind(app, accounts, routes.getAimeeSite, async ({ principal, params }) =>
    shown(await sites.get(principal.accountId, params.siteId)),
  );
  bind(app, accounts, routes.updateAimeeSite, async ({ principal, params, body }) =>
    shown(await sites.update(principal, params.siteId, body)),
  );
  bind(app, accounts, routes.deleteAimeeSite, async ({ principal, params }) => ({
    receipt: await service.deleteSite(principal.accountId, params.siteId),
  }));
  bind(app, accounts, routes.getAimeeSnippet, async ({ principal, params }) => {
    const site = await sites.get(principal.accountId, params.siteId);
    const file = await widget.current();
    if (file === undefined) throw widgetMissing();
    return snippetOf(site, file, publicUrl());
  });
}

function shown({ accountId: _accountId, knowledge: _knowledge, createdAt, ...site }: Site): AimeeSite {
  const { allowedOrigins, suggestions, functions } = site;
  return {
    ...site,
    allowedOrigins: [...allowedOrigins],
    suggestions: [...suggestions],
    functions: [...functions],
    createdAt: rfc3339(createdAt * 1000),
  };
}

function widgetMissing(): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'aimee.widget_missing',
    message: 'The widget was not built. Run the installation again, then restart the server.',
  });
}
