import { expect, it } from 'vitest';
import { hasSwap } from './swap.ts';

const HEADING = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';

it.each([
  ['', false],
  [HEADING, false],
  [`${HEADING}/dev/zram0 partition 4194300 0 100\n`, false],
  [`${HEADING}/swapfile file 4194300 512 -2\n`, true],
  [`${HEADING}/dev/zram0 partition 4194300 0 100\n/dev/dm-1 partition 4194300 0 -2\n`, true],
])('a machine swaps to a disk when an area is one: %j', (swaps, expected) => {
  expect(hasSwap(swaps)).toBe(expected);
});
