import { createHash } from 'node:crypto';
import type { SourceFile, SourceTree } from '../kernel/source-tree.ts';

/**
 * A source tree as one run of bytes: magic, number of files, then for each file in the byte order of its path:
 * flags, path length, content length (big-endian), path (UTF-8), content. Equal trees give equal bytes, so the
 * digest of the bytes names the artifact: the same source built by the same tools has the same digest.
 */
const MAGIC = Buffer.from('JFT1', 'latin1');
const FLAG_EXECUTABLE = 1;
const FILE_HEADER_BYTES = 1 + 2 + 4;

export function encodeTree(tree: SourceTree): Buffer {
  const files = [...tree]
    .map(([path, file]) => ({ path: Buffer.from(path, 'utf8'), file }))
    .sort((a, b) => Buffer.compare(a.path, b.path));
  const count = Buffer.alloc(4);
  count.writeUInt32BE(files.length);
  const parts: Uint8Array[] = [MAGIC, count];
  for (const { path, file } of files) {
    const header = Buffer.alloc(FILE_HEADER_BYTES);
    header.writeUInt8(file.executable ? FLAG_EXECUTABLE : 0, 0);
    header.writeUInt16BE(path.byteLength, 1);
    header.writeUInt32BE(file.bytes.byteLength, 3);
    parts.push(header, path, file.bytes);
  }
  return Buffer.concat(parts);
}

/** Contents are views into `bytes`, not copies. Throws `RangeError` for anything that `encodeTree` never wrote. */
export function decodeTree(bytes: Uint8Array): SourceTree {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  function take(length: number): Buffer {
    if (offset + length > buffer.byteLength) throw new RangeError('The tree container is cut short.');
    offset += length;
    return buffer.subarray(offset - length, offset);
  }

  if (!take(MAGIC.byteLength).equals(MAGIC)) throw new RangeError('This is not a tree container.');
  const tree = new Map<string, SourceFile>();
  for (let left = take(4).readUInt32BE(); left > 0; left--) {
    const header = take(FILE_HEADER_BYTES);
    const path = take(header.readUInt16BE(1)).toString('utf8');
    tree.set(path, {
      bytes: take(header.readUInt32BE(3)),
      executable: header.readUInt8(0) === FLAG_EXECUTABLE,
    });
  }
  if (offset !== buffer.byteLength) throw new RangeError('The tree container has a tail.');
  return tree;
}

/** SHA-256 (hex) of an encoded tree. */
export function treeDigest(encoded: Uint8Array): string {
  return createHash('sha256').update(encoded).digest('hex');
}
