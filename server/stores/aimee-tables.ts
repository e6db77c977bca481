import type { Generated, Kysely, Transaction } from 'kysely';
import type { RequestId, RightKind } from '../rights/request.ts';
import type { ProgressColumns } from './progress-columns.ts';
import type { AccessEntry, EntryKind, Rating, StoredGrant } from '../aimee/customer-store.ts';
import type { ConversationId, GrantId, SiteId } from '../kernel/ids.ts';

export interface CustomerTables {
  customer: { id: number; public_key: Uint8Array };
  site: {
    id: SiteId;
    created_at: number;
    settings: string;
    knowledge_model: string | null;
    knowledge_dimensions: number | null;
  };
  conversation: {
    id: ConversationId;
    site_id: SiteId;
    reference: string;
    started_at: number;
    messages: number;
    unanswered: number;
    up: number;
    down: number;
    handed_over: number;
    sealed_half: Uint8Array;
    restricted: Generated<number>;
    objected: Generated<number>;
  };
  note: { conversation_id: ConversationId; entry: number; number: number; sealed: Uint8Array };
  visitor_request: {
    id: RequestId;
    site_id: SiteId;
    conversation_id: ConversationId | null;
    kind: RightKind;
  } & ProgressColumns;
  entry: {
    conversation_id: ConversationId;
    number: number;
    kind: EntryKind;
    answered: number;
    rating: Rating;
    sealed: Uint8Array;
  };
  counter: {
    site_id: SiteId;
    day: string;
    conversations: number;
    messages: number;
    answered: number;
    unanswered: number;
    up: number;
    down: number;
    hand_overs: number;
  };
  support_grant: {
    id: GrantId;
    site_id: SiteId;
    conversations: string;
    reason: string;
    created_at: number;
    ends_at: number;
    ended_at: number | null;
    ended_by: NonNullable<StoredGrant['ended']>['by'] | null;
  };
  access: {
    number: number;
    at: number;
    event: AccessEntry['event'];
    grant_id: GrantId;
    conversation_id: ConversationId | null;
    hash: Uint8Array;
  };
}

export type CustomerDb = Kysely<CustomerTables>;
export type CustomerTx = Transaction<CustomerTables>;
