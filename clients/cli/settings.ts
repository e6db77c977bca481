import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CliError, isSystemError, usageError } from './failure.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';
/** Shorter texts are surely not a key; the public command line has the same bound. */
export const KEY_LENGTH_MIN = 15;

export interface Settings {
  /** The server, without trailing slash. */
  readonly url: string;
  readonly apiKey: string | undefined;
}

export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The `--url` flag. */
  readonly url: string | undefined;
}

/**
 * `--url`, then JELLYFAAS_URL, then the key file's `url:`, then this machine. The key is JELLYFAAS_API_KEY or the
 * key file's; the file's key only ever goes to the server that it was saved for.
 */
export function loadSettings({ env, home, url }: SettingsSource): Settings {
  const file = readKeyFile(home);
  const savedUrl = normaliseUrl(textOf(file['url']) ?? DEFAULT_URL);
  const chosenUrl = normaliseUrl(url ?? (env['JELLYFAAS_URL'] || savedUrl));
  const savedKey = chosenUrl === savedUrl ? textOf(file['apikey']) : undefined;
  return { url: chosenUrl, apiKey: env['JELLYFAAS_API_KEY'] || savedKey };
}

export function saveSettings(home: string, settings: Required<Settings>): void {
  const path = keyFilePath(home);
  const content = { env: 'jellyfaas', ...readKeyFile(home), apikey: settings.apiKey, url: settings.url };
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeFileSync(temporary, stringify(content), { mode: 0o600 });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
  } catch (error) {
    throw new CliError(
      `The key file ${path} cannot be written: ${reasonOf(error)}. Check its folder's rights.`,
    );
  }
}

export function keyFilePath(home: string): string {
  return join(home, '.jellyfaas');
}

export function checkKeyForm(key: string): string {
  if (key.length >= KEY_LENGTH_MIN && !/\s/.test(key)) return key;
  throw usageError(`That is not an API key: one has at least ${KEY_LENGTH_MIN} characters and no spaces.`);
}

function readKeyFile(home: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(keyFilePath(home), 'utf8');
  } catch (error) {
    // A directory of this name is a server's data directory, started from the home folder.
    if (isSystemError(error, 'ENOENT', 'EISDIR')) return {};
    throw new CliError(`The key file ${keyFilePath(home)} cannot be read: ${reasonOf(error)}.`);
  }
  try {
    const content: unknown = parse(text);
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {};
  } catch {
    throw new CliError(`The key file ${keyFilePath(home)} is not YAML. Delete it and run "jellyfaas login".`);
  }
}

function normaliseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usageError(`"${text}" is not a server's URL. It looks like ${DEFAULT_URL}.`);
  }
  if (url.username !== '' || url.password !== '') throw usageError('Leave user and password out of the URL.');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function reasonOf(error: unknown): string {
  return isSystemError(error, String((error as { code?: unknown }).code))
    ? String(error.code)
    : 'unknown reason';
}
