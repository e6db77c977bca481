import type { AccountId, DatabaseId } from '../kernel/ids.ts';
import { type PlatformError, toPlatformError } from '../kernel/errors.ts';
import { LruMap } from '../kernel/lru-map.ts';
import { vectorErrors } from './errors.ts';
import type { VectorLimits } from './limits.ts';
import type { UploadProgress } from './vectors.ts';

/** One document on its way into a database. */
export interface UploadJob {
  readonly uploadId: string;
  readonly documentId: string;
  readonly accountId: AccountId;
  readonly databaseId: DatabaseId;
}

/** What the work of an upload may tell and has to heed. */
export interface UploadControl {
  readonly signal: AbortSignal;
  /** Resolves when it may begin. */
  turn(): Promise<void>;
  report(change: Partial<Omit<UploadProgress, keyof UploadJob | 'error'>>): void;
}

export interface Uploads {
  /** Begins, or throws `vectors.too_many_uploads`. The promise settles as the work does. */
  start(job: UploadJob, work: (control: UploadControl) => Promise<void>): Promise<void>;
  /** Of a running upload, or one that ended a while ago. */
  find(uploadId: string): Upload | undefined;
  /** Ends those that fit; resolves when their work has stopped. How many there were. */
  cancel(which: (job: UploadJob) => boolean, reason: PlatformError): Promise<number>;
}

export interface Upload {
  readonly accountId: AccountId;
  readonly progress: UploadProgress;
  /** Resolves at the next change; undefined once it has ended. */
  readonly changed: Promise<void> | undefined;
}

/** Which uploads run, which wait, and how far each is: all of it in memory. */
export function createUploads(
  limits: Pick<VectorLimits, 'uploadsMax' | 'uploadsPerAccountMax' | 'uploadsAtOnceMax' | 'endedUploadsMax'>,
): Uploads {
  const running = new Map<string, RunningUpload>();
  const ended = new LruMap<string, Upload>(limits.endedUploadsMax);
  /** Of accounts that have uploads: number of the last turn that one of them got. */
  const turns = new Map<AccountId, number>();
  let turn = 0;

  /** The next one is the oldest of the account whose last turn is longest ago. */
  function next(): void {
    const all = [...running.values()];
    if (all.filter(({ isWorking }) => isWorking).length >= limits.uploadsAtOnceMax) return;
    const lastTurn = ({ accountId }: Upload): number => turns.get(accountId) ?? 0;
    const [first] = all.filter(({ isWorking }) => !isWorking).toSorted((a, b) => lastTurn(a) - lastTurn(b));
    if (first === undefined) return;
    turns.set(first.accountId, ++turn);
    first.begin();
  }

  function uploadsOf(accountId: AccountId): RunningUpload[] {
    return [...running.values()].filter((upload) => upload.accountId === accountId);
  }

  return {
    async start(job, work) {
      const mine = uploadsOf(job.accountId).length;
      if (running.size >= limits.uploadsMax || mine >= limits.uploadsPerAccountMax)
        throw vectorErrors.tooManyUploads();
      const upload = new RunningUpload(job);
      running.set(job.uploadId, upload);
      next();
      try {
        await work(upload);
        upload.end(null);
      } catch (thrown) {
        const error = upload.signal.aborted
          ? (upload.signal.reason as PlatformError)
          : toPlatformError(thrown);
        upload.end(error);
        throw error;
      } finally {
        running.delete(job.uploadId);
        if (uploadsOf(job.accountId).length === 0) turns.delete(job.accountId);
        ended.set(job.uploadId, {
          accountId: job.accountId,
          progress: upload.progress,
          changed: undefined,
        });
        next();
      }
    },
    find(uploadId) {
      return running.get(uploadId) ?? ended.get(uploadId);
    },
    async cancel(which, reason) {
      const hit = [...running.values()].filter(({ job }) => which(job));
      for (const upload of hit) upload.abort(reason);
      await Promise.all(hit.map(({ stopped }) => stopped));
      return hit.length;
    },
  };
}

class RunningUpload implements Upload, UploadControl {
  readonly job: UploadJob;
  isWorking = false;
  #isEnded = false;
  progress: UploadProgress;
  readonly #ending = new AbortController();
  readonly #turn = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  #change = Promise.withResolvers<void>();

  constructor(job: UploadJob) {
    this.job = job;
    const { uploadId, documentId } = job;
    const nothing = { pagesDone: 0, pages: null, passages: 0, embedded: 0, error: null };
    this.progress = { uploadId, documentId, status: 'queued', ...nothing };
    this.#turn.promise.catch(() => undefined);
  }

  get accountId(): AccountId {
    return this.job.accountId;
  }

  get changed(): Promise<void> | undefined {
    return this.#isEnded ? undefined : this.#change.promise;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  turn(): Promise<void> {
    return this.#turn.promise;
  }

  begin(): void {
    this.isWorking = true;
    this.#turn.resolve();
  }

  abort(reason: PlatformError): void {
    this.#ending.abort(reason);
    this.#turn.reject(reason);
  }

  report(change: Partial<UploadProgress>): void {
    this.progress = { ...this.progress, ...change };
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  end(error: PlatformError | null): void {
    this.#isEnded = true;
    this.report(
      error === null
        ? { status: 'completed' }
        : {
            status: error.code === vectorErrors.interrupted().code ? 'interrupted' : 'failed',
            error: { code: error.code, message: error.message },
          },
    );
    this.#stopped.resolve();
  }
}
