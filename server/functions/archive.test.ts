import { describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { rawZip, seededRandom, type RawEntry } from '../../testkit/raw-zip.ts';
import { PlatformError } from '../kernel/errors.ts';
import { readArchive } from './archive.ts';

const SPEC: RawEntry = { name: 'greeter/jellyspec.json', data: '{}' };

function zipOf(...entries: RawEntry[]): Buffer {
  return rawZip([SPEC, ...entries]);
}

async function honestZip(files: Record<string, string>, modes: Record<string, number> = {}): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name);
    else zip.addBuffer(Buffer.from(text), name, { mode: modes[name] ?? 0o100644 });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function refusal(zip: Uint8Array): Promise<string> {
  try {
    await readArchive(zip);
  } catch (error) {
    if (error instanceof PlatformError) return `${error.kind} ${error.code}`;
    throw error;
  }
  return 'accepted';
}

const invalid = (what: string) => `invalid_argument functions.archive_${what}`;
const tooLarge = (what: string) => `too_large functions.archive_${what}`;

describe('an honest archive', () => {
  it('loses its one root folder and keeps contents and executable bits', async () => {
    const zip = await honestZip(
      { 'greeter/': '', 'greeter/jellyspec.json': '{}', 'greeter/bin/run.sh': 'echo', 'greeter/ü.txt': 'ü' },
      { 'greeter/bin/run.sh': 0o100755 },
    );
    const tree = await readArchive(zip);
    expect([...tree.keys()].toSorted()).toEqual(['bin/run.sh', 'jellyspec.json', 'ü.txt']);
    expect(tree.get('bin/run.sh')?.executable).toBe(true);
    expect(tree.get('jellyspec.json')?.executable).toBe(false);
    expect(Buffer.from(tree.get('ü.txt')?.bytes ?? []).toString()).toBe('ü');
  });

  it('may hold its files at its root', async () => {
    const tree = await readArchive(
      rawZip([
        { name: 'jellyspec.json', data: '{}' },
        { name: 'a/b.js', data: '1' },
      ]),
    );
    expect([...tree.keys()]).toEqual(['jellyspec.json', 'a/b.js']);
  });

  it('may carry what the macOS Finder adds', async () => {
    const tree = await readArchive(
      zipOf({ name: '__MACOSX/greeter/._index.js', data: 'x' }, { name: 'greeter/.DS_Store', data: 'x' }),
    );
    expect([...tree.keys()]).toEqual(['jellyspec.json']);
  });

  it('may hold stored, empty and highly compressible files', async () => {
    const zeros = Buffer.alloc(4 * 1024 * 1024);
    const tree = await readArchive(
      zipOf(
        { name: 'greeter/stored', data: 'abc', method: 0 },
        { name: 'greeter/empty' },
        { name: 'greeter/zeros', data: zeros },
      ),
    );
    expect(tree.get('empty')?.bytes.byteLength).toBe(0);
    expect(tree.get('zeros')?.bytes.byteLength).toBe(zeros.length);
    expect(Buffer.from(tree.get('stored')?.bytes ?? []).toString()).toBe('abc');
  });

  it('survives a round trip of random trees', async () => {
    const seed = 20261123;
    const random = seededRandom(seed);
    for (let round = 0; round < 25; round++) {
      const files: Record<string, string> = { 'greeter/jellyspec.json': '{}' };
      for (let i = 0; i < 20; i++) {
        const depth = 1 + Math.floor(random() * 4);
        const folders = Array.from({ length: depth }, () => `d${Math.floor(random() * 3)}`);
        files[`greeter/${folders.join('/')}/f${i}.txt`] = 'x'.repeat(Math.floor(random() * 2000));
      }
      const tree = await readArchive(await honestZip(files));
      const found = Object.fromEntries(
        [...tree].map(([k, v]) => [`greeter/${k}`, Buffer.from(v.bytes).toString()]),
      );
      expect(found, `seed ${seed} round ${round}`).toEqual(files);
    }
  });
});

describe('a name that leads elsewhere or deceives is refused', () => {
  const cases: Record<string, [string | Uint8Array, string]> = {
    'parent folder': ['greeter/../../etc/passwd', 'unsafe_path'],
    'parent at the start': ['../evil', 'unsafe_path'],
    'parent at the end': ['greeter/..', 'unsafe_path'],
    absolute: ['/etc/passwd', 'unsafe_path'],
    backslash: ['greeter\\..\\evil', 'unsafe_path'],
    'drive letter': ['C:/evil', 'unsafe_path'],
    'drive without slash': ['c:evil', 'unsafe_path'],
    NUL: ['greeter/a\0.js', 'bad_name'],
    newline: ['greeter/a\nb', 'bad_name'],
    escape: ['greeter/\u001b[2Ja', 'bad_name'],
    'right-to-left override': ['greeter/gpj.\u202eexe', 'bad_name'],
    'directional isolate': ['greeter/\u2066a', 'bad_name'],
    'zero-width space': ['greeter/a\u200b.js', 'bad_name'],
    'zero-width joiner': ['greeter/a\u200d.js', 'bad_name'],
    'byte order mark': ['greeter/\ufeffa.js', 'bad_name'],
    'line separator': ['greeter/a\u2028b', 'bad_name'],
    'empty segment': ['greeter//a', 'bad_name'],
    'dot segment': ['greeter/./a', 'bad_name'],
    'no name': ['', 'bad_name'],
    'not UTF-8': [Buffer.from([0x67, 0x2f, 0xff, 0xfe]), 'bad_name'],
    'overlong UTF-8': [Buffer.from([0x67, 0x2f, 0xc0, 0xaf]), 'bad_name'],
    'surrogate in UTF-8': [Buffer.from([0x67, 0x2f, 0xed, 0xa0, 0x80]), 'bad_name'],
    'too long': [`greeter/${'a'.repeat(240)}`, 'bad_name'],
    'too deep': [`greeter/${'d/'.repeat(40)}f`, 'bad_name'],
  };
  for (const [title, [name, code]] of Object.entries(cases)) {
    it(title, async () => {
      expect(await refusal(zipOf({ name, data: 'x' }))).toBe(invalid(code));
    });
  }

  it('and the error shows the name with its tricks escaped', async () => {
    const failure = await readArchive(zipOf({ name: 'greeter/gpj.\u202eexe' })).catch(
      (error: unknown) => error,
    );
    expect(String(failure)).toContain('gpj.\\u202eexe');
  });
});

describe('an entry that is not a plain file is refused', () => {
  const modes = {
    'symbolic link': 0o120777,
    'character device': 0o020666,
    'block device': 0o060666,
    pipe: 0o010644,
    socket: 0o140755,
    'a folder posing as a file': 0o040755,
  };
  for (const [title, mode] of Object.entries(modes)) {
    it(title, async () => {
      expect(await refusal(zipOf({ name: 'greeter/x', data: '/etc/passwd', mode }))).toBe(
        invalid('special_file'),
      );
    });
  }
  it('a Windows reparse point', async () => {
    expect(await refusal(zipOf({ name: 'greeter/x', dosAttributes: 0x400 }))).toBe(invalid('special_file'));
  });
  it('a folder with data', async () => {
    expect(await refusal(zipOf({ name: 'greeter/x/', data: 'x' }))).toBe(invalid('malformed'));
  });
});

describe('an archive that lies about its contents is refused', () => {
  it('encrypted entries', async () => {
    expect(await refusal(zipOf({ name: 'greeter/x', data: 'x', flags: 0x801 }))).toBe(invalid('encrypted'));
    expect(await refusal(zipOf({ name: 'greeter/x', data: 'x', flags: 0x841 }))).toBe(invalid('encrypted'));
  });
  it('unsupported compression', async () => {
    expect(await refusal(zipOf({ name: 'greeter/x', data: 'x', method: 14 }))).toBe(
      invalid('compression_unsupported'),
    );
  });
  it('a wrong checksum', async () => {
    expect(await refusal(zipOf({ name: 'greeter/x', data: 'x', declaredCrc: 1 }))).toBe(invalid('corrupt'));
    expect(await refusal(zipOf({ name: 'greeter/x', data: 'x', method: 0, declaredCrc: 1 }))).toBe(
      invalid('corrupt'),
    );
  });
  it('more or fewer bytes than declared', async () => {
    const data = 'x'.repeat(100_000);
    expect(await refusal(zipOf({ name: 'greeter/x', data, declaredBytes: 10 }))).toBe(invalid('corrupt'));
    expect(await refusal(zipOf({ name: 'greeter/x', data, declaredBytes: 0 }))).toBe(invalid('corrupt'));
    expect(await refusal(zipOf({ name: 'greeter/x', data, declaredBytes: 200_000 }))).toBe(
      invalid('corrupt'),
    );
    expect(await refusal(zipOf({ name: 'greeter/x', data, method: 0, declaredBytes: 10 }))).toBe(
      invalid('corrupt'),
    );
  });
  it('a name that differs between its two headers', async () => {
    expect(await refusal(zipOf({ name: 'greeter/x', localName: 'greeter/y' }))).toBe(invalid('malformed'));
  });
  it('an entry that lies inside the data of another', async () => {
    const inner = { name: 'greeter/inner', data: 'x' };
    const innerZip = rawZip([inner]);
    const innerLocal = innerZip.subarray(0, innerZip.indexOf('PK\u0001\u0002'));
    const outer = { name: 'greeter/outer', data: innerLocal, method: 0 };
    const zip = rawZip([SPEC, outer, { ...inner, headerAt: rawZip([SPEC, outer]).indexOf(innerLocal) }]);
    expect(await refusal(zip)).toBe(invalid('overlap'));
  });
  it('data that reaches into the central directory', async () => {
    const zip = zipOf({ name: 'greeter/a', data: 'aaaa', method: 0 });
    for (const at of [zip.lastIndexOf('PK\u0003\u0004') + 18, zip.lastIndexOf('PK\u0001\u0002') + 20]) {
      zip.writeUInt32LE(60, at);
      zip.writeUInt32LE(60, at + 4);
    }
    expect(await refusal(zip)).toBe(invalid('overlap'));
  });
  it('hidden or missing entries', async () => {
    expect(await refusal(rawZip([SPEC, { name: 'greeter/x' }], { entryCount: 1 }))).toBe(
      invalid('malformed'),
    );
    expect(await refusal(rawZip([SPEC], { entryCount: 3 }))).toBe(invalid('malformed'));
  });
});

describe('names that one file system would merge are refused', () => {
  const pairs: [string, string][] = [
    ['a.js', 'a.js'],
    ['a.js', 'A.js'],
    ['stra\u00dfe', 'STRASSE'],
    ['caf\u00e9', 'cafe\u0301'],
    ['a', 'a/b'],
    ['A', 'a/b'],
  ];
  for (const [one, two] of pairs) {
    it(`${one} and ${two}`, async () => {
      const zip = zipOf({ name: `greeter/${one}` }, { name: `greeter/${two}` });
      expect(await refusal(zip)).toBe(invalid('duplicate_name'));
    });
  }
});

describe('an archive of the wrong size is refused', () => {
  it('more than 10,000 entries', async () => {
    const many = Array.from({ length: 10_001 }, (_, i) => ({ name: `greeter/f${i}`, method: 0 }));
    expect(await refusal(rawZip(many))).toBe(tooLarge('too_many_entries'));
  });
  it('a bomb, however small it is packed', async () => {
    const zeros = Buffer.alloc(40 * 1024 * 1024);
    expect(await refusal(zipOf({ name: 'greeter/zeros', data: zeros }))).toBe(tooLarge('bomb'));
  });
  it('a bomb that declares to be harmless stops while it inflates', async () => {
    const zeros = Buffer.alloc(40 * 1024 * 1024);
    expect(await refusal(zipOf({ name: 'greeter/zeros', data: zeros, declaredBytes: 1000 }))).toBe(
      invalid('corrupt'),
    );
  });
  it('a file of more than 100 MiB', async () => {
    const huge = 101 * 1024 * 1024;
    expect(await refusal(zipOf({ name: 'greeter/x', data: 'x', declaredBytes: huge }))).toBe(
      tooLarge('file_too_large'),
    );
  });
  it('an upload of more than 50 MiB', async () => {
    expect(await refusal(Buffer.alloc(50 * 1024 * 1024 + 1))).toBe(tooLarge('too_large'));
  });
});

describe('something that is not a whole archive is refused', () => {
  it('text, nothing, an empty archive', async () => {
    expect(await refusal(Buffer.from('hello, not a zip'))).toBe(invalid('not_a_zip'));
    expect(await refusal(Buffer.alloc(0))).toBe(invalid('not_a_zip'));
    expect(await refusal(rawZip([]))).toBe(invalid('root'));
  });
  it('an archive cut anywhere', async () => {
    const zip = zipOf({ name: 'greeter/index.js', data: 'x'.repeat(500) });
    for (let length = 4; length < zip.length; length += 7) {
      expect(await refusal(zip.subarray(0, length))).toBe(invalid('truncated'));
    }
  });
  it('any archive with flipped bytes is refused or unpacks, and never fails otherwise', async () => {
    const seed = 7;
    const random = seededRandom(seed);
    const zip = zipOf(
      { name: 'greeter/index.js', data: 'x'.repeat(300) },
      { name: 'greeter/lib/', mode: 0o040755 },
    );
    for (let round = 0; round < 600; round++) {
      const broken = Buffer.from(zip);
      for (let flips = 0; flips < 3; flips++) {
        const at = Math.floor(random() * broken.length);
        broken[at] = Math.floor(random() * 256);
      }
      expect(await refusal(broken), `seed ${seed} round ${round}`).toMatch(
        /^accepted$|^(invalid_argument|too_large) functions\./,
      );
    }
  });
});

describe('the root folder', () => {
  it('must be one', async () => {
    expect(await refusal(zipOf({ name: 'other/x' }))).toBe(invalid('root'));
    expect(await refusal(zipOf({ name: 'stray.txt' }))).toBe(invalid('root'));
    expect(await refusal(rawZip([{ name: 'main.js' }]))).toBe(invalid('root'));
  });
  it('must hold jellyspec.json', async () => {
    expect(await refusal(rawZip([{ name: 'greeter/main.js' }]))).toBe(invalid('no_spec'));
    expect(await refusal(rawZip([{ name: 'greeter/sub/jellyspec.json' }]))).toBe(invalid('no_spec'));
  });
});

describe('.jellyfaasignore', () => {
  const files = {
    'greeter/jellyspec.json': '{}',
    'greeter/README.md': 'r',
    'greeter/CHANGELOG.md': 'c',
    'greeter/index.js': '1',
    'greeter/secret.env': 's',
    'greeter/docs/a.md': 'a',
    'greeter/docs/keep.md': 'k',
  };

  for (const name of ['.jellyfaasignore', 'jellyfaasignore']) {
    it(`excludes files under the name ${name}, but never spec, readme and changelog`, async () => {
      const rules = '# comment\n*.env\ndocs/*\n!docs/keep.md\n*.md\n!docs/keep.md\njellyspec.json\n';
      const tree = await readArchive(await honestZip({ ...files, [`greeter/${name}`]: rules }));
      expect([...tree.keys()].toSorted()).toEqual([
        'CHANGELOG.md',
        'README.md',
        'docs/keep.md',
        'index.js',
        'jellyspec.json',
      ]);
    });
  }

  it('with wildcards that explode, too many patterns or too much text is refused', async () => {
    const hostile = [
      '*a*a*a*a*b',
      '**/a/**/b/**/c/**/d/**/e',
      'x'.repeat(300),
      'p\n'.repeat(200),
      '#'.repeat(70_000),
    ];
    for (const rules of hostile) {
      expect(await refusal(await honestZip({ ...files, 'greeter/.jellyfaasignore': rules }))).toBe(
        invalid('ignore_too_costly'),
      );
    }
  });
});
