import type { FastifyInstance } from 'fastify';
import { type Me, profileRoutes as routes } from '../../../contract/index.ts';
import type { Account } from '../../accounts/accounts.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { bind } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';

/** What is stored of the person, and its correction. */
export function serveProfile(app: FastifyInstance, { accounts, profile, rights }: ControlPlaneOptions): void {
  bind(app, accounts, routes.getProfile, async ({ principal }) => ({
    tables: (await profile.of(principal.accountId)).map(({ columns, rows, days, ...table }) => ({
      ...table,
      columns: [...columns],
      rows: rows.map((row) => [...row]),
      ...(days !== undefined && { days: [...days] }),
    })),
  }));
  bind(app, accounts, routes.updateMe, async ({ principal, body }) => {
    const account = await accounts.update(principal, body);
    await rights.requests.carriedOut(principal.accountId, 'rectification');
    return meOf(account);
  });
}

export function meOf({ id, name, email, role, createdAt, updatedAt }: Account): Me {
  return { id, name, email, role, createdAt: rfc3339(createdAt), updatedAt: rfc3339(updatedAt) };
}
