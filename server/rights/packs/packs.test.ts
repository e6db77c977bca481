import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PlatformError } from '../../kernel/errors.ts';
import { seededRandom } from '../../../testkit/raw-zip.ts';
import { type Bag, createNotesCopier, honestBag, packOf, sha256, zipOf } from '../testing/notes-copier.ts';
import { packLimits, type PackLimits } from './limits.ts';
import { readPack } from './read-pack.ts';
import { type Spool, spoolOf } from './spool.ts';
import { createPack } from './write-pack.ts';

let directory: string;
const opened: Spool[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'jellyfaas-packs-'));
});
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  rmSync(directory, { recursive: true });
});

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function spooled(bytes: Uint8Array, bytesMax = packLimits.packBytesMax): Promise<Spool> {
  const spool = await spoolOf(chunks(bytes), { directory, bytesMax });
  opened.push(spool);
  return spool;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const copier = createNotesCopier([]);

async function notesOf(bytes: Uint8Array, limits: Partial<PackLimits> = {}): Promise<unknown[]> {
  const pack = await readPack(await spooled(bytes), {
    copiers: [copier],
    limits: { ...packLimits, ...limits },
  });
  return await collected(pack.readerOf(copier).rows(copier.files[0] as never));
}

/** The code that a pack is refused with. */
async function refusal(bytes: Uint8Array, limits?: Partial<PackLimits>): Promise<string> {
  return await notesOf(bytes, limits).then(
    (notes) => `taken: ${JSON.stringify(notes)}`,
    (thrown: { code: string }) => thrown.code,
  );
}

describe('a copy', () => {
  const notes = Array.from({ length: 3000 }, (_, number) => ({
    number,
    text: `ä\n${'x'.repeat(number % 90)}`,
  }));

  it('is read as it was written', async () => {
    expect(await notesOf(await packOf(createNotesCopier(notes)))).toEqual(notes);
  });

  it('is a BagIt bag whose every payload file has the hash that its manifest says', async () => {
    const zip = await fromBufferPromise(await packOf(createNotesCopier(notes)));
    const files = new Map<string, string>();
    for await (const entry of zip.eachEntry())
      files.set(entry.fileName, await text(await zip.openReadStreamPromise(entry)));
    expect(files.get('jellyfaas-copy/bagit.txt')).toBe(
      'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
    );
    const lines = files.get('jellyfaas-copy/manifest-sha256.txt')?.trimEnd().split('\n') ?? [];
    const payload = [...files].filter(([path]) => path.startsWith('jellyfaas-copy/data/'));
    expect(lines.toSorted()).toEqual(
      payload.map(([path, data]) => `${sha256(data)}  ${path.slice('jellyfaas-copy/'.length)}`).toSorted(),
    );
    expect(
      JSON.parse(files.get('jellyfaas-copy/data/schema/accounts.notes.schema.json') ?? ''),
    ).toMatchObject({
      title: 'Notes',
      type: 'object',
      required: ['number', 'text'],
      additionalProperties: false,
    });
  });

  it('is made as the act of who asked for it, whoever reads it', async () => {
    const acting = new AsyncLocalStorage<string>();
    const seen = new Set<string | undefined>();
    const pack = createPack({
      copiers: [copier],
      generator: 'x',
      createdAt: '2026-11-24T00:00:00Z',
      subject: 'x',
    });
    const read = acting.run('reader', () => buffer(pack.output));
    await acting.run('writer', () =>
      pack.writerOf(copier).rows(
        copier.files[0] as never,
        (function* () {
          for (let number = 0; number < 5000; number++) {
            seen.add(acting.getStore());
            yield { number, text: 'x'.repeat(100) };
          }
        })(),
      ),
    );
    await pack.finish(() => '');
    await read;
    expect([...seen]).toEqual(['writer']);
  });

  it('goes on behind what cannot be read, and names it', async () => {
    const broken = {
      ...createNotesCopier([]),
      exportTo: async (_holder: unknown, writer: Parameters<typeof copier.exportTo>[1]) => {
        writer.missing(copier.files[0] as never, 'a damaged one', new Error('EIO'));
        await writer.rows(
          copier.files[0] as never,
          (function* () {
            yield { number: 1, text: 'whole' };
            throw new PlatformError({ kind: 'internal', code: 'keys.blob_corrupt', message: 'x' });
          })(),
        );
      },
    };
    const bytes = await packOf(broken);
    expect(await notesOf(bytes)).toEqual([{ number: 1, text: 'whole' }]);
    const arrived = await readPack(await spooled(bytes), { copiers: [copier], limits: packLimits });
    const path = 'data/accounts/notes.jsonl';
    expect(arrived.missing).toMatchObject({
      missing: [
        { path, name: 'a damaged one', code: 'rights.unreadable' },
        { path, name: null, code: 'keys.blob_corrupt' },
      ],
      missingCount: 2,
    });
    expect(arrived.readerOf(copier).lacks(copier.files[0] as never, 'a damaged one')).toBe(true);
  });

  it('ends its making when nobody takes it any more', async () => {
    let drawn = 0;
    const endless = {
      ...createNotesCopier([]),
      exportTo: async (_holder: unknown, writer: Parameters<typeof copier.exportTo>[1]) => {
        await writer.rows(
          copier.files[0] as never,
          (function* () {
            for (;;) yield { number: drawn++, text: 'x'.repeat(1000) };
          })(),
        );
      },
    };
    const pack = createPack({
      copiers: [endless],
      generator: 'x',
      createdAt: '2026-11-24T00:00:00Z',
      subject: 'x',
    });
    pack.output.once('data', () => pack.output.destroy());
    await expect(endless.exportTo(undefined, pack.writerOf(endless))).rejects.toThrow();
    expect(drawn).toBeLessThan(100_000);
  });
});

describe('bytes that arrive', () => {
  it('lie under no name, and read back from anywhere', async () => {
    const random = seededRandom(7);
    const bytes = Buffer.from(Array.from({ length: 600_001 }, () => Math.floor(random() * 256)));
    const spool = await spooled(bytes);
    expect(readdirSync(directory)).toEqual([]);
    for (const [start, end] of [
      [0, 16],
      [1, 17],
      [17, 300_000],
      [262_143, 600_001],
      [600_000, 600_001],
    ] as const) {
      const read = await buffer(spool.read(start, end));
      expect(read.equals(bytes.subarray(start, end)), `${start}–${end}`).toBe(true);
    }
  });

  it('are no more than may be', async () => {
    await expect(spooled(Buffer.alloc(5000), 4999)).rejects.toMatchObject({ code: 'rights.pack_too_large' });
  });
});

describe('a pack by anybody', () => {
  it('that is honest is taken', async () => {
    expect(await notesOf(zipOf(honestBag()))).toEqual([{ number: 1, text: 'one' }]);
  });

  const tampered: Record<string, [code: string, zip: () => Buffer]> = {
    'rows differ from both manifests': [
      'rights.pack_tampered',
      () =>
        zipOf(honestBag(), {
          lies: { 'data/accounts/notes.jsonl': { data: '{"number":2,"text":"one"}\n' } },
        }),
    ],
    'rows differ from its own manifest alone': [
      'rights.pack_tampered',
      () =>
        zipOf(changed((bag) => bag.files.set('data/accounts/notes.jsonl', '{"number":2,"text":"one"}\n'))),
    ],
    'the page differs from its hash': [
      'rights.pack_tampered',
      () => zipOf(honestBag(), { lies: { 'data/index.html': { data: '<script>' } } }),
    ],
    'a file is in no manifest': [
      'rights.pack_tampered',
      () => zipOf(honestBag(), { hashes: (honest) => honest.split('\n').slice(1).join('\n') }),
    ],
    'the manifest names a file that is not there': [
      'rights.pack_tampered',
      () =>
        zipOf(honestBag(), { hashes: (honest) => `${honest}${'0'.repeat(64)}  data/accounts/gone.jsonl\n` }),
    ],
    'the manifest names a file outside': [
      'rights.pack_tampered',
      () => zipOf(honestBag(), { hashes: (honest) => `${honest}${'0'.repeat(64)}  data/../../etc/passwd\n` }),
    ],
    'a file is hashed twice': [
      'rights.pack_tampered',
      () => zipOf(honestBag(), { hashes: (honest) => honest + honest }),
    ],
    'its own manifest lists a file twice': [
      'rights.pack_tampered',
      () => zipOf(changed((bag) => bag.manifest(({ files }) => files.push(...files)))),
    ],
    'its own manifest lists none': [
      'rights.pack_tampered',
      () => zipOf(changed((bag) => bag.manifest((manifest) => (manifest.files = [])))),
    ],
    'its own manifest lies about a size': [
      'rights.pack_tampered',
      () => zipOf(changed((bag) => bag.manifest(({ files: [file] }) => file && (file.bytes = 1)))),
    ],
    'it is of another format': [
      'rights.pack_other_format',
      () => zipOf(changed((bag) => bag.manifest((manifest) => (manifest.format = 'other')))),
    ],
    'it is of a later version': [
      'rights.pack_other_format',
      () => zipOf(changed((bag) => bag.manifest((manifest) => (manifest.version = 2)))),
    ],
    'the bag is not declared': [
      'rights.pack_malformed',
      () => zipOf(changed((bag) => bag.files.delete('bagit.txt'))),
    ],
    'it has no manifest of its own': [
      'rights.pack_malformed',
      () => zipOf(changed((bag) => bag.files.delete('data/manifest.json'))),
    ],
    'a row is no JSON': ['rights.pack_bad_row', () => zipOf(honestBag('{"number":1,\n'))],
    'a row has a field too many': [
      'rights.pack_bad_row',
      () => zipOf(honestBag('{"number":1,"text":"","__proto__":{"isAdmin":true}}\n')),
    ],
    'a row has another form': ['rights.pack_bad_row', () => zipOf(honestBag('{"number":"1","text":""}\n'))],
    'the last of its rows is bad': [
      'rights.pack_bad_row',
      () => zipOf(honestBag(`${'{"number":1,"text":""}\n'.repeat(500)}[]\n`)),
    ],
    'a row is nested a million deep': [
      'rights.pack_bad_row',
      () => zipOf(honestBag(`${'['.repeat(1_000_000)}\n`)),
    ],
    'a row never ends': ['rights.pack_bad_row', () => zipOf(honestBag('x'.repeat(33 * 2 ** 20)))],
  };
  it.each(Object.entries(tampered))('is refused when %s', async (_name, [code, zip]) => {
    expect(await refusal(zip())).toBe(code);
  });

  const unsafe: Record<string, () => Buffer> = {
    'a name that climbs out': () => zipOf(honestBag(), { more: [{ name: '../../etc/cron.d/x', data: 'x' }] }),
    'a name that climbs out below its folder': () =>
      zipOf(honestBag(), { more: [{ name: 'jellyfaas-copy/data/../../x', data: 'x' }] }),
    'an absolute name': () => zipOf(honestBag(), { more: [{ name: '/etc/passwd', data: 'x' }] }),
    'a name with backslashes': () =>
      zipOf(honestBag(), { more: [{ name: 'jellyfaas-copy\\data\\x', data: 'x' }] }),
    'a name deep down': () =>
      zipOf(honestBag(), { more: [{ name: `jellyfaas-copy/${'a/'.repeat(5000)}x`, data: '' }] }),
    'a name that is not UTF-8': () =>
      zipOf(honestBag(), { more: [{ name: Uint8Array.of(0xff, 0xfe), data: 'x' }] }),
    'a file that no copy has': () =>
      zipOf(honestBag(), { more: [{ name: 'jellyfaas-copy/data/accounts/other.jsonl', data: '' }] }),
    'a folder': () => zipOf(honestBag(), { more: [{ name: 'jellyfaas-copy/data/', data: '' }] }),
    'a name in other letters': () =>
      zipOf(honestBag(), { more: [{ name: 'jellyfaas-copy/data/INDEX.html', data: '' }] }),
    'the same name twice': () =>
      zipOf(honestBag(), { more: [{ name: 'jellyfaas-copy/data/index.html', data: '<!doctype html>' }] }),
    'a symbolic link': () => zipOf(honestBag(), { lies: { 'data/index.html': { mode: 0o120777 } } }),
    'a device': () => zipOf(honestBag(), { lies: { 'data/index.html': { mode: 0o060666 } } }),
    'an encrypted file': () => zipOf(honestBag(), { lies: { 'data/index.html': { flags: 0x801 } } }),
    'another compression': () => zipOf(honestBag(), { lies: { 'data/index.html': { method: 12 } } }),
  };
  it.each(Object.entries(unsafe))('is refused for %s', async (_name, zip) => {
    expect(['rights.pack_unsafe', 'rights.pack_malformed']).toContain(await refusal(zip()));
  });

  it('is refused when it unpacks to too much, whatever it declares', async () => {
    const zeros = ' '.repeat(2 ** 20);
    const bomb = honestBag(zeros);
    expect(await refusal(zipOf(bomb), { ratioFreeBytes: 1000, ratioMax: 100 })).toBe('rights.pack_bomb');
    expect(await refusal(zipOf(bomb), { unpackedBytesMax: 2 ** 20 })).toBe('rights.pack_bomb');
    const lie = { 'data/accounts/notes.jsonl': { declaredBytes: 10 } };
    expect(await refusal(zipOf(bomb, { lies: lie }))).toBe('rights.pack_malformed');
    expect(
      await refusal(zipOf(honestBag(), { lies: { 'data/index.html': { declaredBytes: 2 ** 32 - 1 } } })),
    ).toMatch(/^rights.pack_(bomb|malformed)$/);
    expect(await refusal(zipOf(honestBag()), { entriesMax: 3 })).toBe('rights.pack_bomb');
    const large = { 'data/manifest.json': { data: ' '.repeat(300_000) } };
    expect(await refusal(zipOf(honestBag(), { lies: large }))).toMatch(/^rights.pack_(bomb|tampered)$/);
  });

  it('is refused or taken whole wherever it is cut, and wherever one bit of it differs', async () => {
    const whole = zipOf(honestBag());
    const random = seededRandom(11);
    for (let length = 0; length < whole.length; length += 97)
      expect(await refusal(whole.subarray(0, length))).toMatch(/^rights\.pack_/);
    for (let round = 0; round < 200; round++) {
      const flipped = Buffer.from(whole);
      const at = Math.floor(random() * whole.length);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
      // Times and reserved fields of a zip mean nothing.
      expect(await refusal(flipped)).toMatch(/^rights\.pack_|^taken: \[\{"number":1,"text":"one"\}\]$/);
    }
  });

  it('is refused for zip64 fields that lie', async () => {
    const zip = zipOf(honestBag());
    const end = zip.length - 22;
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(44n, 4);
    record.writeBigUInt64LE(2n ** 40n, 32);
    record.writeBigUInt64LE(2n ** 50n, 40);
    record.writeBigUInt64LE(2n ** 52n, 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(end), 8);
    const last = Buffer.from(zip.subarray(end));
    last.writeUInt16LE(0xffff, 8);
    last.writeUInt16LE(0xffff, 10);
    last.writeUInt32LE(0xffffffff, 16);
    expect(await refusal(Buffer.concat([zip.subarray(0, end), record, locator, last]))).toMatch(
      /^rights.pack_(bomb|malformed)$/,
    );
  });
});

function changed(change: (bag: Bag) => unknown): Bag {
  const bag = honestBag();
  change(bag);
  return bag;
}
