import type { Holder } from '../accounts/principal.ts';
import { type ToolSourceId, newId } from '../kernel/ids.ts';
import { deriveKey, unwrapKey, wrapKey } from '../keys/key-wrap.ts';
import { sourceErrors } from './errors.ts';
import type { StoredSource } from './source-store.ts';
import type { Approvals, NewToolSource } from './tool-sources.ts';

/** A source in the clear; lives as long as the request that brought the account key. */
export interface OpenSource extends NewToolSource {
  readonly id: ToolSourceId;
  readonly approved: Approvals;
}

export function newSource(form: NewToolSource): OpenSource {
  return { ...form, id: newId<ToolSourceId>('src'), approved: {} };
}

export function sealSource(holder: Holder, { id, ...content }: OpenSource): StoredSource {
  const { accountId } = holder;
  const text = Buffer.from(JSON.stringify(content), 'utf8');
  return { id, accountId, sealed: wrapKey(sealingKey(holder), text, contextOf({ id, accountId })) };
}

/** Throws `sources.unreadable`. */
export function openSource(holder: Holder, row: StoredSource): OpenSource {
  const text = unwrapKey(sealingKey(holder), row.sealed, contextOf(row));
  if (text === undefined) throw sourceErrors.unreadable();
  return { ...(JSON.parse(Buffer.from(text).toString('utf8')) as Omit<OpenSource, 'id'>), id: row.id };
}

function sealingKey({ accountKey }: Holder): Uint8Array {
  return deriveKey(accountKey.reveal(), 'tool-source');
}

/** Moved to another source or account, nothing opens. */
function contextOf({ id, accountId }: Pick<StoredSource, 'id' | 'accountId'>): string {
  return `tool-source\n${accountId}\n${id}`;
}
