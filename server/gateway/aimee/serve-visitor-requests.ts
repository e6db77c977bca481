import type { FastifyInstance } from 'fastify';
import {
  type VisitorCopy,
  type VisitorRequest,
  aimeeRightsRoutes as routes,
} from '../../../contract/index.ts';
import type { Site } from '../../aimee/sites.ts';
import type { ClockedVisitorRequest } from '../../aimee/visitor-requests.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import type { RequestId } from '../../rights/request.ts';
import { bind } from '../control/bind.ts';
import type { AimeeOptions } from './parts.ts';
import { shownConversation } from './serve-conversations.ts';

/** What customers answer visitors who exercise their rights. */
export function serveVisitorRequests(app: FastifyInstance, { accounts, aimee, clock }: AimeeOptions): void {
  const { visitorRequests: requests } = aimee.service;
  bind(app, accounts, routes.listVisitorRequests, async ({ principal, params }) => ({
    requests: (await requests.list(principal.accountId, params.siteId)).map(shown),
  }));
  bind(app, accounts, routes.beginVisitorRequest, async ({ unlock, params, body }) =>
    shown(await requests.begin(await unlock(), params.siteId, body)),
  );
  bind(app, accounts, routes.getVisitorCopy, async ({ unlock, params, reply }) => {
    const id = params.requestId as RequestId;
    const { site, conversation } = await requests.copy(await unlock(), params.siteId, id);
    reply.header('content-disposition', `attachment; filename="conversation-${conversation.reference}.json"`);
    const format = 'jellyfaas-conversation/1' as const;
    return {
      format,
      generatedAt: rfc3339(clock.now()),
      site: site.name,
      conversation: shownConversation(conversation),
      about: aboutOf(site),
    };
  });
  bind(app, accounts, routes.completeVisitorRequest, async ({ unlock, params, body }) =>
    shown(
      await requests.complete(await unlock(), params.siteId, {
        id: params.requestId as RequestId,
        note: body.note,
      }),
    ),
  );
  bind(app, accounts, routes.extendVisitorRequest, async ({ principal, params, body: { reason } }) =>
    shown(
      await requests.extend(principal.accountId, params.siteId, {
        id: params.requestId as RequestId,
        reason,
      }),
    ),
  );
  bind(app, accounts, routes.refuseVisitorRequest, async ({ principal, params, body: { reason } }) =>
    shown(
      await requests.refuse(principal.accountId, params.siteId, {
        id: params.requestId as RequestId,
        reason,
      }),
    ),
  );
}

function shown({
  siteId: _siteId,
  conversationId: _conversationId,
  ...request
}: ClockedVisitorRequest): VisitorRequest {
  return request;
}

/** What Article 15 wants said besides, in a visitor's terms. */
function aboutOf({ retentionDays }: Site): VisitorCopy['about'] {
  return {
    purpose: 'Answering your questions, and letting the site see what was asked',
    recipients: [
      'The operator of the site',
      'The language model that answered, if the site uses an outside one',
    ],
    retention:
      retentionDays === null
        ? 'Until the site deletes the conversation, or you ask for it'
        : `${retentionDays} days, or until you ask for deletion`,
    rights:
      'You can ask the site for a copy, correction, deletion or restriction, object to its use, and complain to a supervisory authority.',
  };
}
