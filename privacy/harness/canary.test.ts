import { mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { needlesFor, search, startCanaryRun } from './canary.ts';
import { sweepFolder, sweepProcess } from './sweep.ts';

const run = startCanaryRun();
const needles = needlesFor(run.stem);
const mark = run.mark('self-test');
const around = (text: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from('before '), Buffer.from(text as string), Buffer.from(' after')]);

const FORMS: Record<string, Buffer> = {
  plain: around(mark),
  'upper case': around(mark.toUpperCase()),
  'utf-16le': around(Buffer.from(mark, 'utf16le')),
  'utf-16be': around(Buffer.from(mark, 'utf16le').swap16()),
  hex: around(Buffer.from(`x=${mark}`).toString('hex')),
  'percent-encoded': around(Buffer.from(mark).toString('hex').replaceAll(/../g, '%$&')),
  'json-escaped': around(Buffer.from(mark).toString('hex').replaceAll(/../g, '\\u00$&')),
  reversed: around(Buffer.from(mark).reverse()),
  'byte list': around([...Buffer.from(mark)].join(',')),
  'base64 +0': around(Buffer.from(`abc${mark}`).toString('base64')),
  'base64 +1': around(Buffer.from(`a${mark}`).toString('base64')),
  'base64 +2': around(Buffer.from(`ab${mark}z`).toString('base64')),
  base64url: around(Buffer.from(`q${mark}`).toString('base64url')),
  gzip: around(gzipSync(`log line ${mark}`)),
  zlib: around(deflateSync(`log line ${mark}`)),
  zstd: around(zstdCompressSync(Buffer.from(`log line ${mark}`))),
  brotli: brotliCompressSync(`log line ${mark}`),
  'base64 in gzip': around(gzipSync(Buffer.from(`ab${mark}`).toString('base64'))),
};

describe('the canary search', () => {
  for (const [name, content] of Object.entries(FORMS)) {
    it(`finds a canary written as ${name}`, () => {
      expect(search(content, needles)).not.toEqual([]);
    });
  }

  it('finds nothing in random bytes', () => {
    const other = startCanaryRun();
    expect(search(around(other.mark('other')), needles)).toEqual([]);
  });

  it('finds canaries in file names, files and unlinked open files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sweep-'));
    writeFileSync(join(folder, 'clean'), 'nothing');
    writeFileSync(join(folder, 'dirty'), mark);
    writeFileSync(join(folder, `name-${mark}`), 'nothing');
    expect(sweepFolder(folder, needles).map((leak) => leak.place)).toHaveLength(2);
    const descriptor = openSync(join(folder, 'dirty'), 'r');
    unlinkSync(join(folder, 'dirty'));
    expect(sweepProcess(process.pid, needles).filter((leak) => leak.place.includes(' fd '))).toHaveLength(1);
    expect(descriptor).toBeGreaterThan(2);
    rmSync(folder, { recursive: true });
  });
});
