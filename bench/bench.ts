import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '../testkit/client.ts';
import { type Platform, startPlatform } from '../testkit/platform.ts';
import type { Loader } from './loader.ts';
import type { Row } from './report.ts';

/** What every measurement is given. */
export interface Bench {
  /** Fewer rounds and runtimes: for development, not for figures. */
  readonly isQuick: boolean;
  /** Holds the data directories of this run. */
  readonly workDir: string;
  readonly loader: Loader;
  /** Tells whoever watches what is going on. */
  note(what: string): void;
}

/** Measures one thing and returns its lines of the table. */
export type Measurement = (bench: Bench) => Promise<Row[]>;

export interface Running {
  readonly platform: Platform;
  readonly client: Client;
}

/** Its layers are the ones that other measurements start with. */
export const FIRST_DATA_DIR = 'deploy';

/** A data directory for one measurement; what earlier ones installed needs no second download. */
export function dataDirFor({ workDir }: Bench, name: string): string {
  const dataDir = join(workDir, name);
  const layers = join(workDir, FIRST_DATA_DIR, 'layers');
  if (existsSync(dataDir)) return dataDir;
  mkdirSync(dataDir);
  // Hard links: layers never change.
  if (existsSync(layers)) execFileSync('cp', ['-al', layers, join(dataDir, 'layers')]);
  return dataDir;
}

/**
 * Runs `work` against the real platform with these settings, and ends it whatever happens. Runtimes are not
 * prepared in the background, so that the CPU is left to what is measured.
 */
export async function withPlatform<T>(
  dataDir: string,
  env: Record<string, string>,
  work: (running: Running) => Promise<T>,
): Promise<T> {
  const platform = await startPlatform({ dataDir, env: { JELLYFAAS_PREPARE_RUNTIMES: 'false', ...env } });
  try {
    return await work({ platform, client: createClient(platform.url, platform.apiKey) });
  } finally {
    await platform.stop();
  }
}

/** A request as the load sends it. */
export function requestText(path: string, headers: Record<string, string> = {}): string {
  const fields = Object.entries({ Host: 'bench', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${fields.join('')}\r\n`;
}

export function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
