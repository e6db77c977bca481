import { createHash } from 'node:crypto';
import type { SourceTree } from '../kernel/source-tree.ts';

/** SHA-256 (hex) of everything that a layer depends on: tools and settings, and the files it is made from. */
export function inputKey(settings: readonly string[], files: SourceTree): string {
  const digest = createHash('sha256').update(JSON.stringify(settings));
  for (const [path, file] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    digest.update(JSON.stringify([path, createHash('sha256').update(file.bytes).digest('hex')]));
  }
  return digest.digest('hex');
}
