import { basename } from 'node:path';
import { apiV1Routes } from '../contract/index.ts';
import type { Config } from './config.ts';
import type { EmbeddingConfig } from './embeddings/embedding-settings.ts';
import type { Models } from './models/chat-model.ts';
import { type StatedModel, type Statement, createStatement } from './privacy-statement/statement.ts';
import type { Jail } from './sandbox/jail.ts';
import { SESSION_MS } from './sign-in/sessions.ts';

const HOUR_MS = 3_600_000;

export interface PrivacyComposition {
  readonly config: Config;
  readonly jail: Pick<Jail, 'kind'>;
  readonly models: Pick<Models, 'list'>;
  readonly version: string;
}

/** What the installation promises, from the settings that it runs with. */
export function composePrivacy({ config, jail, models, version }: PrivacyComposition): Statement {
  return createStatement({
    version,
    sandbox: jail.kind,
    callRetentionDays: config.callRetentionDays,
    tokenHours: config.tokenHours,
    sessionHours: SESSION_MS / HOUR_MS,
    signInProvider: config.provider?.issuer.host ?? null,
    models: [
      ...models.list().map(({ platform, model, isOutside, retention }): StatedModel => ({
        use: 'chat',
        name: `${platform}: ${model}`,
        isOutside,
        retention,
      })),
      ...embeddingModelsOf(config.embeddings),
    ],
    receiptKeys: apiV1Routes.getReceiptKeys.path,
  });
}

/** As the settings name them: to ask the models themselves would start them. */
function embeddingModelsOf({ directory, endpoint }: EmbeddingConfig): StatedModel[] {
  const own = directory === undefined ? [] : [basename(directory).toLowerCase()];
  return [
    ...(endpoint === undefined
      ? []
      : [
          {
            use: 'embedding',
            name: `${endpoint.platform}: ${endpoint.model}`,
            isOutside: endpoint.isOutside,
            retention: endpoint.retention,
          } as const,
        ]),
    ...own.map((name) => ({ use: 'embedding', name, isOutside: false, retention: 'none' }) as const),
  ];
}
