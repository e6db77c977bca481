import { fileURLToPath } from 'node:url';
import type { Jail, JailBind } from '../sandbox/jail.ts';

/**
 * Asks whether a store is sound without reading it: a process in a jail without any way out opens it and runs SQLite's own
 * check. Of what it could say only one bit is heard, whether it ended with 0.
 */
export interface StoreChecker {
  /** `directory` holds `store.db` and perhaps its log, and nothing else. */
  isSound(directory: string, key: Uint8Array): Promise<boolean>;
}

const GUEST = fileURLToPath(new URL('../../guest/backup', import.meta.url));
const DRIVER = 'node_modules/better-sqlite3-multiple-ciphers';
const HOME = '/opt/jellyfaas/backup';
const NODE = `${HOME}/bin/node`;
const BINDS: readonly JailBind[] = [
  { source: process.execPath, target: NODE },
  { source: GUEST, target: `${HOME}/check` },
  { source: fileURLToPath(new URL(`../../${DRIVER}`, import.meta.url)), target: `${HOME}/${DRIVER}` },
];
/** What the checked store is called, for its path is no business of the jail's. */
export const CHECKED_STORE = 'store.db';
const FILES = ['', '-wal', '-shm'].map((end) => `${CHECKED_STORE}${end}`);

export function createStoreChecker(jail: Pick<Jail, 'start' | 'adopt'>): StoreChecker {
  return {
    async isSound(directory, key) {
      const scratch = await jail.adopt(directory, FILES);
      try {
        const checking = await jail.start({
          argv: [NODE, `${HOME}/check/check.mjs`],
          env: {},
          binds: BINDS,
          scratch,
          limits: { memoryMib: 256, tasks: 32, cpuPercent: 100, tmpMib: 1 },
        });
        for (const silent of [checking.stdout, checking.stderr, checking.control]) silent.resume();
        checking.control.on('error', () => {});
        checking.control.write(`${Buffer.from(key).toString('hex')}\n`);
        const { reason, code } = await checking.exited;
        return reason === 'exit' && code === 0;
      } finally {
        await scratch.dispose();
      }
    },
  };
}
