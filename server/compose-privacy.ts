import { basename } from 'node:path';
import { apiV1Routes } from '../contract/index.ts';
import type { Config } from './config.ts';
import type { EmbeddingConfig } from './embeddings/embedding-settings.ts';
import type { GatewayOptions } from './gateway/server.ts';
import { type Clock, rfc3339 } from './kernel/clock.ts';
import type { Receipts } from './keys/receipts.ts';
import type { Models } from './models/chat-model.ts';
import { type StatedModel, type StatementFacts, createStatement } from './privacy-statement/statement.ts';
import { publishContract } from './privacy/published/contract.ts';
import { OPEN_CLAUSES } from './privacy/registry.ts';
import type { Jail } from './sandbox/jail.ts';
import { hostSwaps } from './sandbox/swap.ts';
import { SESSION_MS } from './sign-in/sessions.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface PrivacyComposition {
  readonly config: Config;
  readonly jail: Pick<Jail, 'kind'>;
  readonly models: Pick<Models, 'list'>;
  readonly receipts: Pick<Receipts, 'signDocument'>;
  readonly clock: Clock;
  readonly version: string;
}

/** What the installation promises, from the settings that it runs with, and the same complete and signed. */
export async function composePrivacy(
  parts: PrivacyComposition,
): Promise<Pick<GatewayOptions, 'privacy' | 'privacyContract'>> {
  const privacy = createStatement(factsOf(parts, await hostSwaps()), OPEN_CLAUSES);
  const { contract, ...forms } = publishContract(privacy, rfc3339(parts.clock.now()));
  const signed = await parts.receipts.signDocument('jellyfaas-privacy-contract', contract);
  return { privacy, privacyContract: { ...forms, signed } };
}

function factsOf({ config, jail, models, version }: PrivacyComposition, hasSwap: boolean): StatementFacts {
  return {
    version,
    controller: config.controller ?? null,
    sandbox: jail.kind,
    hasSwap,
    callRetentionDays: config.callRetentionDays,
    tokenHours: config.tokenHours,
    sessionHours: SESSION_MS / HOUR_MS,
    signInProvider: config.provider?.issuer.host ?? null,
    backupStore: backupStoreOf(config),
    backupDays: config.backups === undefined ? null : config.backups.maxAgeMs / DAY_MS,
    mailServer: config.smtp === undefined ? null : new URL(config.smtp.url.reveal()).hostname,
    models: [
      ...models.list().map(({ platform, model, isOutside, retention }): StatedModel => ({
        use: 'chat',
        name: `${platform}: ${model}`,
        isOutside,
        retention,
      })),
      ...embeddingModelsOf(config.embeddings),
    ],
    modelSources: modelSourcesOf(config),
    receiptKeys: apiV1Routes.getReceiptKeys.path,
  };
}

function backupStoreOf({ backups }: Config): string | null {
  if (backups?.target.kind !== 's3') return null;
  const { endpoint, region } = backups.target;
  return endpoint === undefined ? `s3.${region}.amazonaws.com` : new URL(endpoint).host;
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

/** A file of this machine is none: nobody learns that it is read. */
function modelSourcesOf({ modelSource, embeddings }: Config): string[] {
  const urls = [modelSource, embeddings.source?.model.url, embeddings.source?.tokenizer?.url];
  const hosts = urls.flatMap((url) => (url === undefined ? [] : [new URL(url).host]));
  return [...new Set(hosts.filter((host) => host !== ''))];
}
