import { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { ChatModel, Models } from '../models/chat-model.ts';

/** Undefined where no model is configured, or none that the account chose: what is found then speaks for itself. */
export async function modelOrNone(
  models: Pick<Models, 'select'>,
  accountId: AccountId,
  platform?: string,
): Promise<ChatModel | undefined> {
  try {
    return await models.select(accountId, platform);
  } catch (thrown) {
    const code = thrown instanceof PlatformError ? thrown.code : undefined;
    const isNone = code === 'models.none_configured';
    if (isNone || (code === 'models.not_chosen' && platform === undefined)) return undefined;
    throw thrown;
  }
}
