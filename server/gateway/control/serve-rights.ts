import type { FastifyInstance } from 'fastify';
import {
  RIGHTS_PATH,
  type OpenRequest,
  type RightsRequest,
  profileRoutes,
  rightsRoutes as routes,
} from '../../../contract/index.ts';
import type { Principal } from '../../accounts/principal.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { RequestId } from '../../rights/request.ts';
import type { Asked, ClockedRequest } from '../../rights/request-rows.ts';
import type { RequestOfAccount } from '../../rights/requests.ts';
import { bind } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** Requests under the rights of the GDPR: one's own, and everybody's for the owner. */
export function serveRights(app: FastifyInstance, options: ControlPlaneOptions): void {
  serveActs(app, options);
  const { accounts, rights } = options;
  const { requests } = rights;
  bind(app, accounts, routes.listRightsRequests, async ({ principal }) => ({
    requests: (await requests.list(principal.accountId)).map(requestShown),
  }));
  bind(app, accounts, routes.beginRightsRequest, async ({ principal, body: { byOperator, ...asked } }) =>
    requestShown(await requests.begin(principal.accountId, { ...askedIn(asked), byOperator })),
  );
  bind(app, accounts, routes.listOpenRequests, async () => {
    const open = (await requests.listOpen()).map(openShown);
    return { open, overdue: open.filter(({ daysLeft }) => daysLeft !== null && daysLeft < 0).length };
  });
  bind(app, accounts, routes.noteRequest, async ({ body: { email, receivedOn, ...asked } }) =>
    openShown(await requests.note(email, askedIn(asked), receivedOn)),
  );
  bind(app, accounts, routes.extendRequest, async ({ params, body }) =>
    openShown(await requests.extend(params.requestId as RequestId, body.reason)),
  );
  bind(app, accounts, routes.refuseRequest, async ({ params, body }) =>
    openShown(await requests.refuse(params.requestId as RequestId, body.reason)),
  );
  bind(app, accounts, routes.completeRequest, async ({ params }) =>
    openShown(await requests.complete(params.requestId as RequestId)),
  );
}

/** What the platform does at once. */
function serveActs(app: FastifyInstance, { accounts, rights }: ControlPlaneOptions): void {
  const { requests, erasure, restriction, objections } = rights;
  const carryOut = async ({ accountId }: Principal, asked: Asked): Promise<{ request: RightsRequest }> => ({
    request: requestShown(await requests.begin(accountId, { ...asked, byOperator: false })),
  });

  bind(app, accounts, routes.getRightsState, async ({ principal: { accountId } }) => {
    const since = restriction.since(accountId);
    return {
      restricted: since === undefined ? null : { since: rfc3339(since) },
      objections: objections.of(accountId),
    };
  });
  bind(app, accounts, routes.eraseAccount, async ({ principal: { accountId }, body }) => {
    if (body.confirm !== accountId) throw notConfirmed();
    const { receipt, retained } = await erasure.erase(accountId);
    return { receipt, retained: retained.map(({ what, reason }) => ({ what, why: reason })) };
  });
  bind(app, accounts, routes.restrictAccount, ({ principal }) =>
    carryOut(principal, { kind: 'restriction', purpose: null }),
  );
  bind(app, accounts, routes.liftRestriction, ({ principal }) =>
    carryOut(principal, { kind: 'lifting', purpose: null }),
  );
  bind(app, accounts, routes.objectToPurpose, ({ principal, params }) =>
    carryOut(principal, { kind: 'objection', purpose: params.purpose }),
  );
  bind(app, accounts, routes.withdrawObjection, ({ principal, params }) =>
    carryOut(principal, { kind: 'withdrawal', purpose: params.purpose }),
  );
}

function notConfirmed(): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'account.erasure_not_confirmed',
    message: 'Erasing an account cannot be undone: `confirm` has to be its id, which GET /api/v1/me tells.',
  });
}

function askedIn({ kind, purpose }: { kind: Asked['kind']; purpose?: NonNullable<Asked['purpose']> }): Asked {
  return { kind, purpose: purpose ?? null };
}

/** As the person sees it, with what is left to do. */
export function requestShown({ accountId: _accountId, ...request }: ClockedRequest): RightsRequest {
  const isOwn = request.endedOn === null && !request.byOperator;
  return { ...request, next: isOwn ? stepOf(request) : null };
}

function openShown({ accountId: _accountId, ...request }: RequestOfAccount): OpenRequest {
  return request;
}

function stepOf({ kind, purpose }: Asked): string {
  switch (kind) {
    case 'access':
    case 'portability':
      return `GET ${RIGHTS_PATH}/copy`;
    case 'rectification':
      return `${profileRoutes.updateMe.method} ${profileRoutes.updateMe.path}`;
    case 'erasure':
      return `POST ${RIGHTS_PATH}/erasure`;
    case 'restriction':
      return `POST ${RIGHTS_PATH}/restriction`;
    case 'lifting':
      return `DELETE ${RIGHTS_PATH}/restriction`;
    case 'objection':
      return `POST ${RIGHTS_PATH}/objections/${purpose}`;
    case 'withdrawal':
      return `DELETE ${RIGHTS_PATH}/objections/${purpose}`;
  }
}
