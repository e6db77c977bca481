import { describe, expect, it } from 'vitest';
import { textFile, type SourceFile } from '../kernel/source-tree.ts';
import { decodeTree, encodeTree, treeDigest } from './tree-codec.ts';

const FILES: [string, SourceFile][] = [
  ['src/main.js', textFile('hello')],
  ['bin/run', textFile('#!/bin/sh', true)],
  ['ä/ü.txt', textFile('')],
  ['blob', { bytes: Uint8Array.from([0, 255, 10, 13]), executable: false }],
];

describe('tree container', () => {
  it('gives back every path, byte and executable flag', () => {
    const decoded = decodeTree(encodeTree(new Map(FILES)));
    expect(decoded.size).toBe(FILES.length);
    for (const [path, file] of FILES) {
      expect(Buffer.from(decoded.get(path)?.bytes ?? [1]).equals(file.bytes)).toBe(true);
      expect(decoded.get(path)?.executable).toBe(file.executable);
    }
  });

  it('gives equal trees equal digests whatever order their files came in', () => {
    const digest = treeDigest(encodeTree(new Map(FILES)));
    expect(treeDigest(encodeTree(new Map(FILES.toReversed())))).toBe(digest);
    expect(treeDigest(encodeTree(new Map(FILES.slice(1))))).not.toBe(digest);
  });

  it('refuses a container that is cut anywhere, has a tail or another magic', () => {
    const encoded = encodeTree(new Map(FILES));
    for (let length = 0; length < encoded.byteLength; length++) {
      expect(() => decodeTree(encoded.subarray(0, length))).toThrow(RangeError);
    }
    expect(() => decodeTree(Buffer.concat([encoded, Buffer.of(0)]))).toThrow(RangeError);
    expect(() => decodeTree(Buffer.concat([Buffer.from('X'), encoded.subarray(1)]))).toThrow(RangeError);
  });
});
