import type { FastifyInstance } from 'fastify';
import { type AimeeGrant, aimeeConversationRoutes as routes } from '../../../contract/index.ts';
import type { ListedGrant } from '../../aimee/grants.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { bind } from '../control/bind.ts';
import type { AimeeOptions } from './parts.ts';
import { shownConversation } from './serve-conversations.ts';

/** Customers lend conversations to the staff, watch, and end it; the staff reads what is lent at this moment. */
export function serveGrants(app: FastifyInstance, { accounts, aimee }: AimeeOptions): void {
  const { grants } = aimee.service;
  bind(app, accounts, routes.createAimeeGrant, async ({ unlock, body }) =>
    shown(await grants.create(await unlock(), body)),
  );
  bind(app, accounts, routes.listAimeeGrants, async ({ principal }) => ({
    grants: (await grants.list(principal.accountId)).map(shown),
  }));
  bind(app, accounts, routes.endAimeeGrant, async ({ principal, params }) =>
    shown(await grants.end(principal.accountId, params.grantId)),
  );
  bind(app, accounts, routes.getAimeeAccessLog, async ({ principal }) => {
    const { entries, isIntact } = await grants.log(principal.accountId);
    const shownEntries = entries.map(({ at, hash, ...entry }) => ({
      ...entry,
      at: rfc3339(at * 1000),
      hash: Buffer.from(hash).toString('hex'),
    }));
    return { entries: shownEntries.toReversed(), head: shownEntries.at(-1)?.hash ?? '', intact: isIntact };
  });
  bind(app, accounts, routes.listAimeeSupportGrants, async () => ({
    grants: await Promise.all(
      grants.open().map(async ({ id, accountId, siteName, reason, endsAt, conversations }) => ({
        id,
        account: { id: accountId, name: (await accounts.get(accountId)).name },
        siteName,
        reason,
        conversations: [...conversations],
        endsAt: rfc3339(endsAt * 1000),
      })),
    ),
  }));
  bind(app, accounts, routes.readAimeeSupportConversation, async ({ params }) =>
    shownConversation(await grants.read(params.grantId, params.conversationId)),
  );
}

function shown({ siteId, conversations, createdAt, endsAt, ended, ...grant }: ListedGrant): AimeeGrant {
  return {
    ...grant,
    site: siteId,
    conversations: [...conversations],
    createdAt: rfc3339(createdAt * 1000),
    endsAt: rfc3339(endsAt * 1000),
    ended: ended && { by: ended.by, at: rfc3339(ended.at * 1000) },
  };
}
