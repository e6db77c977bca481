import ipaddr from 'ipaddr.js';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Secret } from '../kernel/secret.ts';

export type ProviderKind = 'openai-compatible' | 'openai' | 'anthropic' | 'google';

/** A model behind an API, ready to use. */
export interface ProviderConfig {
  /** The name that callers and accounts choose by. */
  readonly platform: string;
  readonly kind: ProviderKind;
  /** Everything that is sent goes below it. No user, query or fragment; no slash at its end. */
  readonly baseUrl: string;
  /** The provider's name of the model. */
  readonly model: string;
  /** Undefined: none is sent. */
  readonly key: Secret | undefined;
  /** The text leaves the installation: only accounts that chose it are served (decision D9). */
  readonly isOutside: boolean;
  readonly retention: 'none' | 'provider';
}

/** The embedded model's platform, and that of `JELLYFAAS_MODEL_URL`. */
export const EMBEDDED_PLATFORM = 'embedded';
export const ENDPOINT_PLATFORM = 'endpoint';

const BASE_URLS: Record<Exclude<ProviderKind, 'openai-compatible'>, string> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta',
};

/** One entry of `models` in the config file. */
export const modelSetting = z.strictObject({
  platform: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 of a-z, 0-9 and -')
    .describe('Name that callers and accounts choose by, for example `gemini`.'),
  kind: z
    .enum(['openai-compatible', 'openai', 'anthropic', 'google'])
    .describe('API that it speaks: `openai-compatible`, `openai`, `anthropic` or `google`.'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where the API is; needed for `openai-compatible`, otherwise the provider’s own.'),
  model: z.string().min(1).max(200).describe('The provider’s name of the model.'),
  key: z.string().min(1).optional().describe('API key.'),
  keyFile: z.string().min(1).optional().describe('File that holds the API key, instead of `key`.'),
  outside: z
    .boolean()
    .optional()
    .describe(
      'Whether the text leaves the installation; default: yes, unless the address is loopback, private or link-local. Outside models serve only accounts that chose them.',
    ),
  retention: z
    .enum(['none', 'provider'])
    .optional()
    .describe(
      'What the other side keeps, as agreed with it and shown to callers; default `none` for own models, `provider` for outside ones.',
    ),
});

export type ModelSetting = z.output<typeof modelSetting>;

/** Checks what the fields' own rules cannot. `report` hears each fault; values of keys are in none. */
export function resolveModels(
  settings: readonly ModelSetting[],
  report: (fault: string) => void,
): ProviderConfig[] {
  const seen = new Set<string>();
  return settings.flatMap((setting) => {
    const where = `models, platform ${setting.platform}`;
    if (setting.platform === EMBEDDED_PLATFORM) report(`${where}: the name is kept for the embedded model`);
    if (seen.has(setting.platform)) report(`${where}: it is there twice`);
    seen.add(setting.platform);
    const faults: string[] = [];
    const resolved = resolveModel(setting, (fault) => faults.push(fault));
    for (const fault of faults) report(`${where}: ${fault}`);
    return resolved === undefined ? [] : [resolved];
  });
}

/** One setting, whatever its platform. */
export function resolveModel(
  setting: ModelSetting,
  report: (fault: string) => void,
): ProviderConfig | undefined {
  const { platform, kind, model } = setting;
  const url = baseUrlOf(setting, report);
  if (url === undefined) return undefined;
  const isOutside = setting.outside ?? !isOwnHost(url.hostname);
  if (isOutside && url.protocol !== 'https:') {
    report('an outside model needs https; if the address is your own, set outside to false');
  }
  const key = keyOf(setting, report);
  return {
    platform,
    kind,
    baseUrl: url.href.replace(/\/+$/, ''),
    model,
    key,
    isOutside,
    retention: setting.retention ?? (isOutside ? 'provider' : 'none'),
  };
}

function baseUrlOf({ kind, baseUrl }: ModelSetting, report: (fault: string) => void): URL | undefined {
  const given = baseUrl ?? (kind === 'openai-compatible' ? undefined : BASE_URLS[kind]);
  if (given === undefined) {
    report('baseUrl is needed, for example http://127.0.0.1:11434/v1');
    return undefined;
  }
  const url = new URL(given);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    report('baseUrl must have no user, query or fragment; a key belongs in key or keyFile');
    return undefined;
  }
  return url;
}

function keyOf({ kind, key, keyFile }: ModelSetting, report: (fault: string) => void): Secret | undefined {
  if (key !== undefined && keyFile !== undefined) report('key and keyFile exclude each other: set one');
  const text = keyFile === undefined ? key : readKey(keyFile, report);
  if (text === undefined) {
    if (keyFile === undefined && kind !== 'openai-compatible') report('key or keyFile is needed');
    return undefined;
  }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    report('the key holds characters that no HTTP header can carry');
    return undefined;
  }
  return new Secret(text);
}

function readKey(path: string, report: (fault: string) => void): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    report(`keyFile ${path} cannot be read`);
    return undefined;
  }
}

const OWN_RANGES: ReadonlySet<string> = new Set(['loopback', 'private', 'linkLocal', 'uniqueLocal']);

/**
 * Whether the host is the operator's own by its very form. Names are not looked up: what they resolve to can change
 * after the check, so a name is outside unless the operator declares it his own.
 */
function isOwnHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return ipaddr.isValid(host) && OWN_RANGES.has(ipaddr.process(host).range());
}
