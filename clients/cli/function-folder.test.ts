import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFunction } from './commands/create.ts';
import { packFunction } from './function-folder.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jellyfaas-zip-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text = 'x'): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Local headers in order, read independently of the code under test. */
function entriesOf(zip: Buffer): Map<string, string> {
  const found = new Map<string, string>();
  let at = zip.readUInt32LE(zip.length - 22 + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [nameLength, extraLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    const data = zip.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed;
    found.set(zip.toString('utf8', at + 46, at + 46 + nameLength), data.toString());
    at += 46 + nameLength + extraLength;
  }
  return found;
}

it('a function is zipped below its shortname, dotfiles kept, dependencies left out', async () => {
  write('jellyspec.json', '{"shortname":"my_gre eter"}');
  for (const path of ['index.js', '.npmrc', 'lib/.keep', 'lib/vendored.js', 'src/my.github.js']) write(path);
  for (const path of [
    '.git/HEAD',
    '.gitignore',
    '.github/x.yml',
    '.idea/x',
    'vendor/x',
    'lib/node_modules/x/y.js',
    '__pycache__/a.pyc',
    'mygreeter.zip',
  ])
    write(path);
  const { shortname, zip } = await packFunction(folder);
  expect(shortname).toBe('mygreeter');
  expect([...entriesOf(zip).keys()]).toEqual(
    ['.npmrc', 'index.js', 'jellyspec.json', 'lib/.keep', 'lib/vendored.js', 'src/my.github.js'].map(
      (path) => `mygreeter/${path}`,
    ),
  );
  expect(entriesOf(zip).get('mygreeter/jellyspec.json')).toBe('{"shortname":"my_gre eter"}');
});

it('.jellyfaasignore is applied, but never to spec, readme and changelog', async () => {
  write('jellyspec.json', '{"shortname":"greeter"}');
  write('.jellyfaasignore', '*.md\n*.json\n/secret/\n!docs/keep.md\n');
  for (const path of [
    'README.md',
    'CHANGELOG.md',
    'docs/a.md',
    'docs/keep.md',
    'secret/a',
    'data.json',
    'sub/secret/b',
  ])
    write(path);
  const { files } = await packFunction(folder);
  expect(files).toEqual([
    '.jellyfaasignore',
    'CHANGELOG.md',
    'README.md',
    'docs/keep.md',
    'jellyspec.json',
    'sub/secret/b',
  ]);
});

it('the same files give the same bytes, and executables stay so', async () => {
  write('jellyspec.json', '{"shortname":"greeter"}');
  write('run.sh');
  const first = await packFunction(folder);
  utimesSync(join(folder, 'run.sh'), 1_000_000_000, 1_000_000_000);
  expect((await packFunction(folder)).zip).toEqual(first.zip);
  chmodSync(join(folder, 'run.sh'), 0o755);
  expect((await packFunction(folder)).zip).not.toEqual(first.zip);
});

it('symbolic links are left out and named', async () => {
  write('jellyspec.json', '{"shortname":"greeter"}');
  symlinkSync('/etc/passwd', join(folder, 'passwd'));
  const { files, skipped } = await packFunction(folder);
  expect([files, skipped]).toEqual([['jellyspec.json'], ['passwd']]);
});

it('a folder without a usable jellyspec.json is refused with what to do', async () => {
  await expect(packFunction(folder)).rejects.toThrow('jellyfaas create');
  write('jellyspec.json', '{');
  await expect(packFunction(folder)).rejects.toThrow('not a JSON object');
  write('jellyspec.json', '{"shortname":"../../x"}');
  await expect(packFunction(folder)).rejects.toThrow('needs a shortname');
});

it('a created function is named in its spec and does not replace a folder unless told', () => {
  const options = { name: 'my_greeter', language: 'Go', destination: 'sub' };
  const made = createFunction(folder, options);
  expect(made).toEqual({ path: join(folder, 'sub', 'mygreeter'), shortname: 'mygreeter', runtime: 'go122' });
  expect(() => createFunction(folder, options)).toThrow('exists already');
  expect(() => createFunction(folder, { ...options, always: true })).not.toThrow();
});
