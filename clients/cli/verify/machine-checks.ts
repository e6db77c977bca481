import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Needle, needlesFor } from '../../../privacy/harness/canary.ts';
import {
  type Leak,
  TEMPORARY_FOLDERS,
  isOlder,
  processTree,
  sweepFolder,
  sweepProcess,
  tell,
} from '../../../privacy/harness/sweep.ts';
import { call } from './call-checks.ts';
import type { Installation, Part } from './installation.ts';
import type { Probe } from './probe.ts';

const CLAUSES = ['P1', 'P6', 'P8', 'P12', 'P14', 'P15', 'P20'];
const WAIT_MS = 3_000;

/** On the machine of the server: its files, its processes and where programs leave things. */
export function machinePart(dataDir: string | undefined, probe: Probe): Part {
  return {
    name: 'machine',
    clauses: CLAUSES,
    async run(installation) {
      const { findings, startedAt } = installation;
      if (dataDir === undefined) {
        findings.skip(CLAUSES, 'Files and processes of the server', 'needs --data-dir, on its machine');
        return;
      }
      const pid = pidOf(dataDir);
      const obstacle = obstacleTo(dataDir, pid, startedAt);
      if (pid === undefined || obstacle !== undefined) {
        findings.skip(CLAUSES, `Files and processes of ${dataDir}`, obstacle ?? 'no server uses it');
        return;
      }
      await checkProcesses(installation, probe, pid);
      checkFiles(installation, dataDir);
    },
  };
}

/** The server that uses the directory, by its lock. */
function pidOf(dataDir: string): number | undefined {
  try {
    return Number(readFileSync(join(dataDir, 'lock'), 'utf8').split(' ')[0]);
  } catch {
    return undefined;
  }
}

/** Why a search would prove nothing. */
function obstacleTo(dataDir: string, pid: number | undefined, startedAt: number): string | undefined {
  try {
    accessSync(dataDir, constants.R_OK | constants.X_OK);
  } catch {
    return 'it cannot be read; run this as root or as the user of the server';
  }
  if (pid === undefined) return 'no server uses it';
  try {
    readdirSync(`/proc/${pid}/fd`);
    readFileSync(`/proc/${pid}/environ`);
  } catch {
    return `process ${pid} cannot be looked into; run this as root or as the user of the server`;
  }
  // What was just deployed has to lie there.
  const blobs = readdirSync(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  const isNew = blobs.some(
    (entry) => entry.isFile() && !isOlder(join(entry.parentPath, entry.name), startedAt),
  );
  return isNew ? undefined : 'nothing in it has changed: it is not the directory of this server';
}

async function checkProcesses(installation: Installation, probe: Probe, pid: number): Promise<void> {
  const { run, findings } = installation;
  const needles = needlesFor(run.stem);
  const json = { long: `${run.mark('body in flight')} `.repeat(20_000) };
  const path = `?waitMs=${WAIT_MS}&q=${run.mark('query in flight')}`;
  const inFlight = call(installation, probe, { path, json });
  // Begun before the search, and not ended by it.
  await call(installation, probe, { path: '' });
  const processes = processTree(pid);
  const leaks = processes.flatMap((one) => sweepProcess(one, needles));
  await inFlight;
  leaks.push(...processTree(pid).flatMap((one) => sweepProcess(one, needles)));
  findings.check(
    CLAUSES.filter((id) => id !== 'P1'),
    'Searched open and unlinked files, arguments and environments of the server’s processes, during a call and after it',
    {
      faults: tell(leaks, run),
      observed: `none of ${run.sinks.size} canaries in ${processes.length} processes`,
    },
  );
}

function checkFiles({ run, findings, startedAt }: Installation, dataDir: string): void {
  const needles = needlesFor(run.stem);
  const observed = `none of ${run.sinks.size} canaries`;
  findings.check(CLAUSES, `Searched the files of ${dataDir} for every canary, in all encodings`, {
    faults: tell(sweepData(dataDir, needles, startedAt), run),
    observed,
  });
  findings.check(CLAUSES, `Searched ${TEMPORARY_FOLDERS.join(', ')} in the same way`, {
    faults: tell(sweepTemporary(dataDir, needles, startedAt), run),
    observed,
  });
}

function sweepData(dataDir: string, needles: readonly Needle[], startedAt: number): Leak[] {
  // Public files, and large: what lay there before can hold no canary.
  const publicFolders = ['models', 'layers'].map((name) => join(dataDir, name));
  const isPublic = (path: string): boolean => publicFolders.some((folder) => path.startsWith(folder));
  return sweepFolder(dataDir, needles, (path) => isPublic(path) && isOlder(path, startedAt));
}

function sweepTemporary(dataDir: string, needles: readonly Needle[], startedAt: number): Leak[] {
  return TEMPORARY_FOLDERS.flatMap((folder) =>
    sweepFolder(folder, needles, (path) => path.startsWith(dataDir) || isOlder(path, startedAt)),
  );
}
