/**
 * A function's files in memory: relative POSIX paths (no `..`, no leading `/`, no links) to contents. Uploaded
 * source and built code both have this form; neither is ever written to a disk in the clear.
 */
export interface SourceFile {
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

export type SourceTree = ReadonlyMap<string, SourceFile>;

export function textFile(text: string, executable = false): SourceFile {
  return { bytes: Buffer.from(text, 'utf8'), executable };
}

export function treeSizeBytes(tree: SourceTree): number {
  let total = 0;
  for (const file of tree.values()) total += file.bytes.byteLength;
  return total;
}
