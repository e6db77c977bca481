import { notFound } from '../kernel/errors.ts';
import type { AccountId, ConversationId, GrantId } from '../kernel/ids.ts';
import type { Timer } from '../kernel/scheduler.ts';
import type { StoredGrant } from './customer-store.ts';
import type { Site } from './sites.ts';

export interface OpenGrant extends Pick<StoredGrant, 'id' | 'reason' | 'endsAt'> {
  readonly site: Site;
  /** Of just the granted conversations. */
  readonly keys: Map<ConversationId, Uint8Array>;
  readonly timer: Timer;
}

/** Grants that are open, with the keys that they lend: in memory alone, wiped as each ends. */
export class OpenGrants {
  readonly #grants = new Map<GrantId, OpenGrant>();

  add(grant: OpenGrant): void {
    this.#grants.set(grant.id, grant);
  }

  has(id: GrantId): boolean {
    return this.#grants.has(id);
  }

  countOf(accountId: AccountId): number {
    return this.all().filter(({ site }) => site.accountId === accountId).length;
  }

  all(): OpenGrant[] {
    return [...this.#grants.values()];
  }

  /** Throws `grant.not_found` for whatever is not granted at this moment, in epoch seconds. */
  lent(
    id: string,
    conversationId: ConversationId,
    now: number,
  ): { readonly grant: OpenGrant; readonly key: Uint8Array } {
    const grant = this.#grants.get(id as GrantId);
    const key = grant?.keys.get(conversationId);
    if (grant === undefined || key === undefined || grant.endsAt <= now) throw notFound('grant');
    return { grant, key };
  }

  drop(id: GrantId): void {
    const grant = this.#grants.get(id);
    if (grant === undefined) return;
    grant.timer.close();
    forget(grant, [...grant.keys.keys()]);
    this.#grants.delete(id);
  }

  forget(accountId: AccountId, ids: readonly ConversationId[]): void {
    for (const grant of this.#grants.values()) if (grant.site.accountId === accountId) forget(grant, ids);
  }

  dropAccount(accountId: AccountId): void {
    for (const { id, site } of this.all()) if (site.accountId === accountId) this.drop(id);
  }

  close(): void {
    for (const id of this.#grants.keys()) this.drop(id);
  }
}

function forget({ keys }: OpenGrant, ids: readonly ConversationId[]): void {
  for (const id of ids) {
    keys.get(id)?.fill(0);
    keys.delete(id);
  }
}
