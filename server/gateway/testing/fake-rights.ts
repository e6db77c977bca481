import type { AccountId } from '../../kernel/ids.ts';
import { type RequestId, clocked, newProgress } from '../../rights/request.ts';
import type { Asked, ClockedRequest } from '../../rights/request-rows.ts';
import type { RequestOfAccount } from '../../rights/requests.ts';
import type { RightsParts } from '../control/control-plane-options.ts';
import { member } from './fakes.ts';

const TODAY = '2026-11-23';
const ERASURE: Asked = { kind: 'erasure', purpose: null };

function request(accountId: AccountId, asked: Asked, byOperator: boolean): ClockedRequest {
  const progress = newProgress(byOperator ? 'verified' : 'running', TODAY);
  const id = 'req_00000000000000000001' as RequestId;
  return clocked({ id, accountId, ...asked, byOperator, ...progress }, TODAY, new Set());
}

function ofMember(): RequestOfAccount {
  const account = { id: member.accountId, name: 'mike', email: 'mike@example.org' };
  return { ...request(member.accountId, ERASURE, true), account };
}

/** Everybody has asked for erasure, and nobody has been answered. */
export function fakeRights(): RightsParts {
  return {
    requests: {
      list: async (accountId) => [request(accountId, ERASURE, false)],
      begin: async (accountId, { byOperator, ...asked }) => request(accountId, asked, byOperator),
      carriedOut: async (accountId, kind, purpose) =>
        request(accountId, { kind, purpose: purpose ?? null }, false),
      listOpen: async () => [ofMember()],
      note: async () => ofMember(),
      extend: async () => ofMember(),
      refuse: async () => ofMember(),
      complete: async () => ofMember(),
    },
  };
}
