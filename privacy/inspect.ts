import { readdirSync, statSync } from 'node:fs';
import type { Client, Platform } from '../testkit/index.ts';
import { type CanaryRun, type Needle, needlesFor, search } from './canary.ts';
import { readAllStores } from './open-stores.ts';
import { type Leak, processTree, sweepFolder, sweepProcess } from './sweep.ts';

/** Where programs leave files without being asked. */
const TEMPORARY = [
  '/tmp',
  '/var/tmp',
  '/dev/shm',
  '/run',
  '/var/log',
  '/var/crash',
  '/var/lib/systemd/coredump',
];

/** What can be searched while the platform runs: open and unlinked files, arguments, environments, its answers. */
export async function inspectRunning(platform: Platform, client: Client, run: CanaryRun): Promise<Leak[]> {
  const needles = needlesFor(run.stem);
  const leaks = processTree(platform.pid).flatMap((pid) => sweepProcess(pid, needles));
  const answers = [
    '/api/v1/calls',
    '/api/v1/me',
    '/core-service/v1/library',
    '/core-service/v1/badbuilds',
    '/metrics',
    '/health/live',
  ];
  for (const path of answers) {
    const response = await fetch(`${client.url}${path}`, { headers: { 'x-jf-apikey': client.apiKey } });
    leaks.push(...found(`answer of ${path}`, Buffer.from(await response.arrayBuffer()), needles));
  }
  return leaks;
}

/** What lasts once the platform has ended: its data directory as bytes and as decrypted rows, its logs, temporary files. */
export async function inspectStopped(platform: Platform, run: CanaryRun, startedAt: number): Promise<Leak[]> {
  const needles = needlesFor(run.stem);
  const leaks = sweepFolder(platform.dataDir, needles);
  leaks.push(...found('standard output and error', Buffer.from(platform.output()), needles));
  for (const folder of TEMPORARY) {
    leaks.push(
      ...sweepFolder(
        folder,
        needles,
        (path) => path.startsWith(platform.dataDir) || isOlder(path, startedAt),
      ),
    );
  }
  for (const { store, table, row } of await readAllStores(platform.dataDir)) {
    const text = Object.values(row).map((value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
    );
    leaks.push(...found(`${store}, table ${table}`, Buffer.from(text.join('\n'), 'latin1'), needles));
  }
  return leaks;
}

/** Names the inputs whose canaries were found, with the place, a line each. */
export function tell(leaks: readonly Leak[], run: CanaryRun): string[] {
  return leaks.map(({ place, encoding, excerpt }) => {
    const sink = [...run.sinks].find(([mark]) => excerpt.includes(mark))?.[1] ?? 'unknown input';
    return `${sink} in ${place} (${encoding})`;
  });
}

/** Sealed files are unreadable to a search, so their number is checked instead: one for each version, no other. */
export function sealedFiles(dataDir: string): string[] {
  return readdirSync(`${dataDir}/blobs`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(`${dataDir}/blobs/${name}`).isFile(),
  );
}

function found(place: string, content: Buffer, needles: readonly Needle[]): Leak[] {
  return search(content, needles).map((hit) => ({ ...hit, place }));
}

/** Files that nobody touched since the run began cannot hold its canaries; folders are always entered. */
function isOlder(path: string, startedAt: number): boolean {
  try {
    const stat = statSync(path);
    return !stat.isDirectory() && stat.mtimeMs < startedAt - 1000 && stat.ctimeMs < startedAt - 1000;
  } catch {
    return true;
  }
}
