import { mkdirSync, readFileSync, rmSync, writeFileSync, existsSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from './kernel/errors.ts';

/** Where everything that lasts lies; docs/operating.md describes it to operators. */
export interface DataDirectory {
  readonly keysDb: string;
  readonly accountsDb: string;
  readonly functionsDb: string;
  /** The catalogue of databases, beside which each lies in a directory of its own. */
  readonly databasesDb: string;
  /** Directory of AI.Mee: a catalogue, and a directory for each customer. */
  readonly aimee: string;
  readonly calls: string;
  readonly blobs: string;
  readonly layers: string;
  /** Nothing was in it before: keys may be made anew, and the bootstrap key is taken. */
  readonly isNew: boolean;
  /** Lets another process have it. */
  release(): void;
}

/** Creates the directory if need be and takes it for this process alone: stores have one writer. */
export function openDataDirectory(path: string): DataDirectory {
  const keysDb = join(path, 'keys', 'keys.db');
  const accountsDb = join(path, 'accounts', 'accounts.db');
  const functionsDb = join(path, 'functions', 'functions.db');
  const databasesDb = join(path, 'databases', 'databases.db');
  // Keys are left out of backups of the data: what was restored without them must not be given new ones.
  if (!existsSync(keysDb) && [accountsDb, functionsDb, databasesDb].some((store) => existsSync(store))) {
    throw keysMissing(path, keysDb);
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const lock = join(path, 'lock');
  takeLock(lock, path);
  return {
    keysDb,
    accountsDb,
    functionsDb,
    databasesDb,
    aimee: join(path, 'aimee'),
    calls: join(path, 'calls'),
    blobs: join(path, 'blobs'),
    layers: join(path, 'layers'),
    isNew: !existsSync(keysDb),
    release: () => rmSync(lock, { force: true }),
  };
}

function keysMissing(path: string, keysDb: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'data.keys_missing',
    message: `The key store ${keysDb} is missing, and the data in ${path} cannot be read without it. Restore the directory "keys" from where you keep it, or set JELLYFAAS_DATA_DIR to a new directory.`,
  });
}

/** The lock names a process by pid and start time, so a lock left by a crash never blocks, whoever has the pid now. */
function takeLock(lock: string, path: string): void {
  const own = `${process.pid} ${startTimeOf(process.pid)}`;
  for (let tries = 0; tries < 2; tries++) {
    try {
      writeFileSync(lock, own, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, startTime] = readFileSync(lock, 'utf8').split(' ');
    if (startTime !== undefined && startTimeOf(Number(pid)) === startTime) {
      throw new PlatformError({
        kind: 'failed_precondition',
        owner: 'platform',
        code: 'data.in_use',
        message: `Another server (pid ${pid}) uses ${path}. Stop it, or set JELLYFAAS_DATA_DIR to another directory.`,
      });
    }
    rmSync(lock, { force: true });
  }
}

/** Clock ticks since boot at which the process started; empty when there is no such process. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
