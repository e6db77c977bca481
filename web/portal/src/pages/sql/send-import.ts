import type { SqlImported } from '../../../../../contract/sql.ts';
import type { Problem } from '../../../../../contract/errors.ts';
import { ApiError } from '../../api.ts';
import { sqlApi } from './data.ts';

export interface Import {
  readonly name: string;
  readonly file: File;
  /** Of CSV; null for SQL text. */
  readonly table: string | null;
  /** 0 to 1, of what was sent. */
  readonly onProgress: (share: number) => void;
  readonly signal: AbortSignal;
}

/** `fetch` cannot tell how much of a body has gone out, hence the older way. Rejects with `ApiError`. */
export function sendImport({ name, file, table, onProgress, signal }: Import): Promise<SqlImported> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const query = table === null ? '' : `?table=${encodeURIComponent(table)}`;
    request.open('POST', sqlApi(name, `/import${query}`));
    request.responseType = 'json';
    request.setRequestHeader('x-jellyfaas-portal', '1');
    request.setRequestHeader('content-type', table === null ? 'application/sql' : 'text/csv');
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener('error', () =>
      reject(new ApiError({ status: 0, code: 'portal.offline', detail: 'The server cannot be reached.' })),
    );
    request.addEventListener('load', () => {
      if (request.status === 200) resolve(request.response as SqlImported);
      else reject(new ApiError(request.response as Problem));
    });
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
