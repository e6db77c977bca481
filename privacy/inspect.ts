import { readdirSync, statSync } from 'node:fs';
import type { Client, Platform } from '../testkit/index.ts';
import { type CanaryRun, needlesFor, search } from './harness/canary.ts';
import { type StoredRow, readAllStores } from './open-stores.ts';
import {
  type Leak,
  TEMPORARY_FOLDERS,
  found,
  isOlder,
  processTree,
  sweepFolder,
  sweepProcess,
} from './harness/sweep.ts';

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
  const leaks = inspectFiles(platform, run, startedAt);
  for (const { store, table, row } of await readAllStores(platform.dataDir)) {
    const text = Object.values(row).map((value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
    );
    leaks.push(...found(`${store}, table ${table}`, Buffer.from(text.join('\n'), 'latin1'), needles));
  }
  return leaks;
}

/** The same without a key: bytes alone. */
export function inspectFiles(
  platform: Pick<Platform, 'dataDir' | 'output'>,
  run: CanaryRun,
  startedAt: number,
): Leak[] {
  const needles = needlesFor(run.stem);
  const leaks = sweepFolder(platform.dataDir, needles);
  leaks.push(...found('standard output and error', Buffer.from(platform.output()), needles));
  leaks.push(
    ...TEMPORARY_FOLDERS.flatMap((folder) =>
      sweepFolder(folder, needles, (path) => path.startsWith(platform.dataDir) || isOlder(path, startedAt)),
    ),
  );
  return leaks;
}

/** Inputs whose canaries stand in rows that somebody could open, in order. */
export function sinksIn(rows: readonly StoredRow[], run: CanaryRun): string[] {
  const needles = needlesFor(run.stem);
  const found = new Set<string>();
  for (const value of rows.flatMap(({ row }) => Object.values(row))) {
    const content = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value));
    const excerpts = search(content, needles).map(({ excerpt }) => excerpt);
    for (const [mark, sink] of run.sinks)
      if (content.includes(mark) || excerpts.some((excerpt) => excerpt.includes(mark))) found.add(sink);
  }
  return [...found].toSorted();
}

/** Sealed files are unreadable to a search, so their number is checked instead: one for each version, no other. */
export function sealedFiles(dataDir: string): string[] {
  return readdirSync(`${dataDir}/blobs`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(`${dataDir}/blobs/${name}`).isFile(),
  );
}
