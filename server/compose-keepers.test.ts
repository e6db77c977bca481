import { expect, test } from 'vitest';
import { type KeptAreas, composeKeepers } from './compose-keepers.ts';
import { DATA_MAP } from './privacy/data-map/data-map.ts';
import { unkept } from './rights/keepers.ts';

/** Nothing of it is used before something is erased. */
const areas = { accountStore: {} } as KeptAreas;

test('every table that tells of somebody has a keeper, and no keeper names a table that is not there', () => {
  const personal = DATA_MAP.filter(({ subject }) => subject !== 'nobody');
  expect(unkept(composeKeepers(areas), personal.map(tableOf))).toEqual([]);
  const known = new Set(DATA_MAP.map(tableOf));
  expect(composeKeepers(areas).flatMap(({ tables }) => tables.filter((name) => !known.has(name)))).toEqual(
    [],
  );
});

test('keys go first, and the account itself last', () => {
  const order = composeKeepers(areas).map(({ area }) => area);
  expect([order[0], order.at(-1)]).toEqual(['keys', 'accounts']);
});

function tableOf({ store, table }: { store: string; table: string }): string {
  return `${store}.${table}`;
}
