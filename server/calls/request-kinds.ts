import type { FunctionId } from '../kernel/ids.ts';

/** What stands in call records for requests that are no call of one function. No function ever gets such an id. */
export const REQUEST_IDS = {
  question: 'fn_0000000000000000000q' as FunctionId,
  vectors: 'fn_0000000000000000000v' as FunctionId,
  sql: 'fn_0000000000000000000s' as FunctionId,
  aimee: 'fn_0000000000000000000m' as FunctionId,
} as const;

export type RequestKind = keyof typeof REQUEST_IDS;

const KINDS = new Map(Object.entries(REQUEST_IDS).map(([kind, id]) => [id, kind as RequestKind]));

/** Undefined for ids of functions. */
export function requestKindOf(id: FunctionId): RequestKind | undefined {
  return KINDS.get(id);
}
