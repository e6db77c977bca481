import type { AccountId } from '../kernel/ids.ts';

/** Which platform an account chose: its default, and its consent if the model is an outside one (decision D9). */
export interface AccountChoices {
  /** Undefined when it chose none. */
  get(accountId: AccountId): Promise<string | undefined>;
  /** Durable when it resolves; null takes the choice back. */
  set(accountId: AccountId, platform: string | null): Promise<void>;
}
