import { workerData } from 'node:worker_threads';
import { compactVectorStore } from '../../stores/vector-store.ts';

/** The thread that `compact` starts: writes one database's file anew and ends. */
await compactVectorStore(workerData as { path: string; key: Uint8Array });
