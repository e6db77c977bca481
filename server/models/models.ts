import { PlatformError } from '../kernel/errors.ts';
import type { AccountChoices } from './account-choices.ts';
import type { ChatModel, Models } from './chat-model.ts';
import type { ProviderConfig } from './model-settings.ts';
import { createProviderModel } from './provider-model.ts';

/** A model with something to release. */
export type OwnedModel = ChatModel & { close(): Promise<void> };

export interface ModelsOptions {
  /** In the operator's order. */
  readonly configured: readonly ProviderConfig[];
  readonly embedded?: OwnedModel | undefined;
  readonly choices: AccountChoices;
}

/** What the public clients always send, whatever the installation has. */
const PUBLIC_CLIENTS_PLATFORM = 'gemini';

/**
 * The models of the installation and who may use which. The default is the account's choice, else the first own
 * model in the operator's order, the embedded one last. An outside model serves only accounts that chose it.
 *
 * `gemini` is special, because the public clients send it always and cannot be told otherwise: it means the platform
 * of that name if there is one that the account may use, and otherwise no wish at all.
 */
export function createModels({ configured, embedded, choices }: ModelsOptions): Models {
  const models: readonly OwnedModel[] = [
    ...configured.map((config) => createProviderModel({ config })),
    ...(embedded === undefined ? [] : [embedded]),
  ];
  const named = (platform: string | undefined): OwnedModel | undefined =>
    models.find((model) => model.platform === platform);

  function find(platform: string): OwnedModel {
    if (models.length === 0) throw noneConfigured();
    const model = named(platform);
    if (model === undefined) throw unknownPlatform(platforms(models));
    return model;
  }

  return {
    list: () =>
      models.map(({ platform, model, isOutside, retention }) => ({ platform, model, isOutside, retention })),
    async select(accountId, platform) {
      if (models.length === 0) throw noneConfigured();
      const choice = await choices.get(accountId);
      const isAllowed = (model: ChatModel): boolean => !model.isOutside || model.platform === choice;
      if (platform !== undefined) {
        const model = platform === PUBLIC_CLIENTS_PLATFORM ? named(platform) : find(platform);
        if (model !== undefined && isAllowed(model)) return model;
        if (platform !== PUBLIC_CLIENTS_PLATFORM) throw notChosen(platform);
      }
      const model = named(choice) ?? models.find(isAllowed);
      if (model === undefined) throw notChosen(platforms(models));
      return model;
    },
    async choice(accountId) {
      return named(await choices.get(accountId))?.platform;
    },
    async choose(accountId, platform) {
      await choices.set(accountId, platform === null ? null : find(platform).platform);
    },
    async close() {
      await Promise.all(models.map(async (model) => await model.close()));
    },
  };
}

function platforms(models: readonly ChatModel[]): string {
  return models.map(({ platform }) => platform).join(', ');
}

function noneConfigured(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'models.none_configured',
    owner: 'platform',
    message:
      'This installation has no model, and an answer is never made up. The operator can add one in two ways: ' +
      '`jellyfaas model pull` (or JELLYFAAS_MODEL_FILE) for a model on this machine, or JELLYFAAS_MODEL_URL and ' +
      'JELLYFAAS_MODEL_NAME (or `models` in the config file) for an endpoint.',
  });
}

function unknownPlatform(available: string): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'models.unknown_platform',
    message: `No model platform of that name is configured here. There are: ${available}.`,
  });
}

function notChosen(available: string): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'models.not_chosen',
    message:
      `Text sent to this model leaves the installation, so it serves only accounts that chose it (${available}). ` +
      "Choose it for your account first, or name one of the installation's own.",
  });
}
