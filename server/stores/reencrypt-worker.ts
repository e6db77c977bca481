import { workerData } from 'node:worker_threads';
import { reencrypt } from './cipher.ts';

/** The thread that `rekeyFile` starts: encrypts one file anew and ends. */
const { path, key, nextKey } = workerData as { path: string; key: Uint8Array; nextKey: Uint8Array };
reencrypt(path, { key, nextKey });
