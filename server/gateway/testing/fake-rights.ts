import { Readable } from 'node:stream';
import { PlatformError } from '../../kernel/errors.ts';
import type { AccountId } from '../../kernel/ids.ts';
import { Secret } from '../../kernel/secret.ts';
import type { TakenCopy } from '../../rights/copies.ts';
import { type RequestId, clocked, newProgress } from '../../rights/request.ts';
import type { Asked, ClockedRequest } from '../../rights/request-rows.ts';
import type { RequestOfAccount } from '../../rights/requests.ts';
import type { RightsParts } from '../control/control-plane-options.ts';
import { member } from './fakes.ts';

const TAKEN: TakenCopy = {
  taken: { site: 1 },
  left: [{ kind: 'document', name: 'a', code: 'rights.text_not_kept' }],
  leftCount: 1,
  receipt: 'e30',
};
const UNKNOWN = { kind: 'permission_denied', code: 'rights.invitation_unknown', message: 'x' } as const;
const TODAY = '2026-11-23';
const ERASURE: Asked = { kind: 'erasure', purpose: null };

function request(accountId: AccountId, asked: Asked, byOperator: boolean): ClockedRequest {
  const progress = newProgress(byOperator ? 'verified' : 'running', TODAY);
  const id = 'req_00000000000000000001' as RequestId;
  return clocked({ id, accountId, ...asked, byOperator, missing: 0, ...progress }, TODAY, new Set());
}

function ofMember(): RequestOfAccount {
  const account = { id: member.accountId, name: 'mike', email: 'mike@example.org' };
  return { ...request(member.accountId, ERASURE, true), account };
}

/** Everybody has asked for erasure, and nobody has been answered. */
export function fakeRights(): RightsParts {
  return {
    erasure: { erase: async () => ({ receipt: 'a.b.c', retained: [{ what: 'A log', reason: 'The law' }] }) },
    restriction: { asOwnAct: (_accountId, work) => work(), since: () => undefined },
    objections: { of: () => ['statistics'] },
    requests: {
      list: async (accountId) => [request(accountId, ERASURE, false)],
      begin: async (accountId, { byOperator, ...asked }) => request(accountId, asked, byOperator),
      carriedOut: async (accountId, kind, { purpose = null } = {}) =>
        request(accountId, { kind, purpose }, false),
      listOpen: async () => [ofMember()],
      note: async () => ofMember(),
      extend: async () => ofMember(),
      refuse: async () => ofMember(),
      complete: async () => ofMember(),
    },
    copies: {
      write: ({ accountId }) => ({
        content: Readable.from([`copy of ${accountId}`]),
        missingCount: () => 0,
      }),
      async take(_holder, content) {
        for await (const _chunk of content);
        return TAKEN;
      },
    },
    invitations: {
      create: () => ({ token: new Secret('rcv_token'), expiresAt: Date.parse(`${TODAY}T00:00:00Z`) }),
      find: () => ({ expiresAt: Date.parse(`${TODAY}T00:00:00Z`), outcome: TAKEN }),
      revoke: () => undefined,
      async use(token, work) {
        if (token !== 'rcv_token') throw new PlatformError(UNKNOWN);
        return await work({ accountId: member.accountId, accountKey: new Secret(new Uint8Array(32)) });
      },
    },
    transmit: async () => ({ taken: { site: 1 }, leftCount: 0, receipt: 'e30' }),
  };
}
