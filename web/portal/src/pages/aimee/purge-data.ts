import type { AimeePurgeForm, AimeePurged } from '../../../../../contract/aimee-conversations.ts';
import { request } from '../../api.ts';
import { siteApi } from './data.ts';

export async function purge(siteId: string, form: AimeePurgeForm): Promise<AimeePurged> {
  return await request<AimeePurged>(siteApi(siteId, '/purge'), { method: 'POST', body: form });
}
