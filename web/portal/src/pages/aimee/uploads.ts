import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { StartedUpload, UploadEvent, UploadProgress } from '../../../../../contract/vectors.ts';
import { ApiError, request } from '../../api.ts';
import { streamOf } from '../../events.ts';
import { siteApi, siteKey } from './data.ts';

/** A file on its way into the knowledge. */
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

const ENDED: ReadonlySet<string | undefined> = new Set(['completed', 'failed', 'interrupted']);

export function hasEnded({ progress, error }: Upload): boolean {
  return error !== undefined || ENDED.has(progress?.status);
}

/** Sends files one after the other and follows each to its end; goes on while other views of the site are shown. */
export function useUploads(siteId: string): Uploads {
  const client = useQueryClient();
  const [all, setAll] = useState<readonly Upload[]>([]);
  const last = useRef({ key: 0, work: Promise.resolve() });

  function update(key: number, part: Partial<Upload>): void {
    setAll((before) => before.map((upload) => (upload.key === key ? { ...upload, ...part } : upload)));
  }

  async function run(key: number, file: File): Promise<void> {
    try {
      const { uploadId } = await send(siteId, file);
      const path = siteApi(siteId, `/uploads/${encodeURIComponent(uploadId)}`);
      for await (const event of streamOf<UploadEvent>(path)) {
        if (event.type === 'progress') update(key, { progress: event });
        if (event.type === 'error') throw new ApiError({ ...event, errors: [] });
      }
    } catch (thrown) {
      update(key, { error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
    await client.invalidateQueries({ queryKey: siteKey(siteId, 'knowledge') });
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
      if (progress === undefined) return;
      const path = siteApi(siteId, `/uploads/${encodeURIComponent(progress.uploadId)}`);
      // What becomes of it comes with the progress.
      void request(path, { method: 'DELETE' }).catch(() => undefined);
    },
    clear: () => setAll((before) => before.filter((upload) => !hasEnded(upload))),
  };
}

async function send(siteId: string, file: File): Promise<StartedUpload> {
  const body = new FormData();
  body.append('metadata', JSON.stringify({ title: titleOf(file.name) }));
  body.append('file', file);
  return await request<StartedUpload>(siteApi(siteId, '/knowledge'), { method: 'POST', body });
}

/** What visitors see as the source of an answer: the name of the file without its ending. */
function titleOf(name: string): string {
  return name.replace(/\.[a-z0-9]{1,5}$/i, '') || name;
}
