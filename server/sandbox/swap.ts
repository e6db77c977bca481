import { readFile } from 'node:fs/promises';
import type { Limitation } from './jail.ts';

/** Whether the machine moves memory to a disk; swap in compressed memory (zram) is none. */
export async function hostSwaps(): Promise<boolean> {
  return hasSwap(await readFile('/proc/swaps', 'utf8').catch(() => ''));
}

/** `swaps` as in /proc/swaps: a heading, then a line for each area. */
export function hasSwap(swaps: string): boolean {
  const areas = swaps.trim().split('\n').slice(1);
  return areas.some((area) => !area.startsWith('/dev/zram'));
}

/** Jails never swap where there are memory control groups; the server itself may. */
export async function swapLimitations(): Promise<Limitation[]> {
  if (!(await hostSwaps())) return [];
  return [
    {
      code: 'host-swaps',
      message:
        'This machine moves memory to a disk, that of the server too, and with it what calls carry: turn swap off, or encrypt it. The privacy page says so until then.',
    },
  ];
}
