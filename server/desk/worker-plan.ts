import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { WorkerPlan } from '../languages/language.ts';
import type { ModelEngineNeeds } from '../models/embedded-engine.ts';
import type { ProviderConfig } from '../models/model-settings.ts';
import type { EgressPolicy } from '../sandbox/egress-policy.ts';

export interface DeskPlanOptions {
  readonly configured: readonly ProviderConfig[];
  /** Where the embedded model can be asked. */
  readonly embedded: ModelEngineNeeds | undefined;
  readonly door: RequestListener;
}

const HOME = '/opt/jellyfaas/desk';
const NODE = `${HOME}/node`;
/** The program and what it imports, as they lie in the source tree: the code that answers the same requests in the clear. */
const SOURCES = ['package.json', 'node_modules', 'contract', 'server', 'clients/sdk', 'guest/desk'];
const CONCURRENCY = 16;
const MEMORY_MIB = 512;
const CPU_PERCENT = 100;

/** The jail in which one caller's sealed questions are answered (see guest/desk). */
export function deskPlan({ configured, embedded, door }: DeskPlanOptions): WorkerPlan {
  const egress = egressOf(configured);
  return {
    argv: [NODE, `${HOME}/guest/desk/main.ts`],
    env: { NODE_ENV: 'production' },
    binds: [
      { source: process.execPath, target: NODE },
      ...SOURCES.map((path) => ({ source: sourcePath(path), target: `${HOME}/${path}` })),
      ...(embedded?.binds ?? []),
    ],
    preboot: false,
    concurrency: CONCURRENCY,
    cpuPercentMin: CPU_PERCENT + (embedded?.cpuPercent ?? 0),
    memoryMibMin: MEMORY_MIB + (embedded?.memoryMib ?? 0),
    ...(egress !== undefined && { egress }),
    door,
  };
}

/** Only over TLS: what leaves in the clear would pass the server. */
function egressOf(configured: readonly ProviderConfig[]): EgressPolicy | undefined {
  const hosts = configured
    .map(({ baseUrl }) => new URL(baseUrl))
    .filter(({ protocol }) => protocol === 'https:')
    .map(({ hostname, port }) => `${hostname}:${port || 443}`);
  return hosts.length === 0 ? undefined : { kind: 'trusted', hosts };
}

function sourcePath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
