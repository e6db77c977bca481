import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type Needle, searchPlain } from './canary.ts';
import type { Leak } from './sweep.ts';

const WINDOW_BYTES = 16 * 1024 * 1024;
/** More than any needle is long, so that none is missed where two windows meet. */
const OVERLAP_BYTES = 4096;

/** Searches what a process can read and write of its memory: heap, stacks, buffers. It takes root, and no cooperation. */
export function sweepMemory(pid: number, needles: readonly Needle[]): Leak[] {
  const leaks: Leak[] = [];
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const window = Buffer.alloc(WINDOW_BYTES);
    for (const { from, to } of writableRegions(pid)) {
      for (let at = from; at < to; at += WINDOW_BYTES - OVERLAP_BYTES) {
        const bytes = readAt(memory, window.subarray(0, Math.min(WINDOW_BYTES, to - at)), at);
        const place = `memory of pid ${pid} at ${at.toString(16)}`;
        leaks.push(...searchPlain(bytes, needles, '').map((hit) => ({ ...hit, place })));
      }
    }
  } finally {
    closeSync(memory);
  }
  return leaks;
}

function writableRegions(pid: number): { from: number; to: number }[] {
  const maps = readFileSync(`/proc/${pid}/maps`, 'latin1');
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)].map(([, from = '', to = '']) => ({
    from: Number.parseInt(from, 16),
    to: Number.parseInt(to, 16),
  }));
}

/** Regions come and go while they are read; that is not a finding. */
function readAt(memory: number, into: Buffer, at: number): Buffer {
  let length = 0;
  try {
    while (length < into.length) {
      const read = readSync(memory, into, length, into.length - length, at + length);
      if (read === 0) break;
      length += read;
    }
  } catch {
    // What was read before the region ended is searched.
  }
  return into.subarray(0, length);
}
