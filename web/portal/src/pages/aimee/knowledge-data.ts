import { useQueryClient } from '@tanstack/react-query';
import type { StartedUpload } from '../../../../../contract/vectors.ts';
import { request } from '../../api.ts';
import { type Uploads, useUploads } from '../../uploads/use-uploads.ts';
import { siteApi, siteKey } from './data.ts';

/** Documents on their way into the knowledge of a site. */
export function useKnowledgeUploads(siteId: string): Uploads {
  const client = useQueryClient();
  return useUploads({
    async send(file) {
      const body = new FormData();
      body.append('metadata', JSON.stringify({ title: titleOf(file.name) }));
      body.append('file', file);
      return await request<StartedUpload>(siteApi(siteId, '/knowledge'), { method: 'POST', body });
    },
    pathOf: (uploadId) => siteApi(siteId, `/uploads/${encodeURIComponent(uploadId)}`),
    onEnd: () => client.invalidateQueries({ queryKey: siteKey(siteId, 'knowledge') }),
  });
}

/** What visitors see as the source of an answer: the name of the file without its ending. */
function titleOf(name: string): string {
  return name.replace(/\.[a-z0-9]{1,5}$/i, '') || name;
}
