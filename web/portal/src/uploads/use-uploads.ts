import { useRef, useState } from 'react';
import type { StartedUpload, UploadEvent, UploadProgress } from '../../../../contract/vectors.ts';
import { ApiError, request } from '../api.ts';
import { streamOf } from '../events.ts';

/** A document on its way into a database. */
export interface Upload {
  readonly key: number;
  readonly name: string;
  /** Undefined until the server has it. */
  readonly progress: UploadProgress | undefined;
  readonly error: Error | undefined;
}

export interface Uploads {
  readonly all: readonly Upload[];
  readonly add: (files: readonly File[]) => void;
  readonly cancel: (upload: Upload) => void;
  /** Takes those that have ended off the list. */
  readonly clear: () => void;
}

export interface UploadsOptions {
  /** Sends one file. */
  readonly send: (file: File) => Promise<StartedUpload>;
  /** Where its progress is told, and where it can be called off. */
  readonly pathOf: (uploadId: string) => string;
  /** After each, whatever became of it. */
  readonly onEnd: () => unknown;
}

const ENDED: ReadonlySet<string | undefined> = new Set(['completed', 'failed', 'interrupted']);

export function hasEnded({ progress, error }: Upload): boolean {
  return error !== undefined || ENDED.has(progress?.status);
}

/** Sends files one after the other and follows each to its end. */
export function useUploads({ send, pathOf, onEnd }: UploadsOptions): Uploads {
  const [all, setAll] = useState<readonly Upload[]>([]);
  const last = useRef({ key: 0, work: Promise.resolve() });

  function update(key: number, part: Partial<Upload>): void {
    setAll((before) => before.map((upload) => (upload.key === key ? { ...upload, ...part } : upload)));
  }

  async function run(key: number, file: File): Promise<void> {
    try {
      const { uploadId } = await send(file);
      for await (const event of streamOf<UploadEvent>(pathOf(uploadId))) {
        if (event.type === 'progress') update(key, { progress: event });
        if (event.type === 'error') throw new ApiError({ ...event, errors: [] });
      }
    } catch (thrown) {
      update(key, { error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
    await onEnd();
  }

  return {
    all,
    add(files) {
      for (const file of files) {
        const key = ++last.current.key;
        setAll((before) => [...before, { key, name: file.name, progress: undefined, error: undefined }]);
        last.current.work = last.current.work.then(() => run(key, file));
      }
    },
    cancel({ progress }) {
      // What becomes of it comes with the progress.
      if (progress !== undefined)
        void request(pathOf(progress.uploadId), { method: 'DELETE' }).catch(() => undefined);
    },
    clear: () => setAll((before) => before.filter((upload) => !hasEnded(upload))),
  };
}
