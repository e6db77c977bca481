import * as contract from '../../contract/index.ts';
import type { DataRow, Handler } from '../../server/privacy/data-map/row.ts';
import { PEERS } from '../../server/privacy/places.ts';

/** Operations of the public API, by id. */
const OPERATIONS = new Set(
  Object.entries(contract).flatMap(([name, routes]) => (name.endsWith('Routes') ? Object.keys(routes) : [])),
);

/** Rows whose exporter, eraser or restrictor is not there, or whose recipient the platform has no connection to. */
export function handlerFaults(
  rows: readonly DataRow[],
  read: (path: string) => string | undefined,
): string[] {
  const peers = new Set(PEERS.map(({ id }) => id));
  return rows.flatMap(({ store, table, column, exporter, eraser, restrictor, recipients }) => {
    const handlers: readonly Handler[] = [exporter, eraser, restrictor];
    return [
      ...handlers.filter((handler) => !isThere(handler, read)).map((handler) => `${handler} is not there`),
      ...recipients.filter((id) => !peers.has(id)).map((id) => `${id} is no peer`),
    ].map((fault) => `${store}.${table}.${column}: ${fault}`);
  });
}

function isThere(handler: Handler, read: (path: string) => string | undefined): boolean {
  const [, kind, rest = ''] = /^(\w+):\s*(.*)$/.exec(handler) ?? [];
  if (kind === 'route') return OPERATIONS.has(rest);
  if (kind === 'none') return rest !== '';
  const [path = '', name = ''] = rest.split('#');
  return name !== '' && new RegExp(String.raw`\b${name}\b`).test(read(path) ?? '');
}
