import type { AccountId, ConversationId } from '../kernel/ids.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { AimeeLimits } from './limits.ts';

/** What a search needs of a conversation. */
export interface OpenedText {
  /** Of everything in it, folded for comparison. */
  readonly text: string;
  readonly firstQuestion: string;
  /** Changes when something was added. */
  readonly version: string;
}

/**
 * Conversations that searches have opened, in memory: for the account that opened them, up to a bound for all together, and
 * until its searches rest for a while.
 */
export class OpenedTexts {
  readonly #scheduler: Scheduler;
  readonly #limits: Pick<AimeeLimits, 'searchLengthMax' | 'searchIdleMs'>;
  /** The one used last comes last. */
  readonly #accounts = new Map<AccountId, { texts: Map<ConversationId, OpenedText>; idle?: Timer }>();
  #length = 0;

  constructor(scheduler: Scheduler, limits: Pick<AimeeLimits, 'searchLengthMax' | 'searchIdleMs'>) {
    this.#scheduler = scheduler;
    this.#limits = limits;
  }

  get(accountId: AccountId, id: ConversationId, version: string): OpenedText | undefined {
    const found = this.#accounts.get(accountId)?.texts.get(id);
    return found?.version === version ? found : undefined;
  }

  keep(accountId: AccountId, id: ConversationId, opened: OpenedText): void {
    this.forget(accountId, [id]);
    const account = this.#accounts.get(accountId) ?? { texts: new Map<ConversationId, OpenedText>() };
    this.#accounts.delete(accountId);
    this.#accounts.set(accountId, account);
    account.texts.set(id, opened);
    this.#length += lengthOf(opened);
    account.idle?.close();
    account.idle = this.#scheduler.after(this.#limits.searchIdleMs, () => this.dropAccount(accountId));
    for (const [other, { texts }] of this.#accounts) {
      for (const oldest of texts.keys()) {
        if (this.#length <= this.#limits.searchLengthMax) return;
        this.forget(other, [oldest]);
      }
    }
  }

  forget(accountId: AccountId, ids: readonly ConversationId[]): void {
    const texts = this.#accounts.get(accountId)?.texts;
    if (texts === undefined) return;
    for (const id of ids) {
      const opened = texts.get(id);
      if (opened !== undefined) this.#length -= lengthOf(opened);
      texts.delete(id);
    }
  }

  close(): void {
    for (const accountId of this.#accounts.keys()) this.dropAccount(accountId);
  }

  dropAccount(accountId: AccountId): void {
    const account = this.#accounts.get(accountId);
    if (account === undefined) return;
    account.idle?.close();
    this.forget(accountId, [...account.texts.keys()]);
    this.#accounts.delete(accountId);
  }
}

function lengthOf({ text, firstQuestion }: OpenedText): number {
  return text.length + firstQuestion.length;
}
