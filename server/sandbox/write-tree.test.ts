import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { writeTree } from './write-tree.ts';

let parent: string;
let root: string;
let outside: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tree-'));
  root = join(parent, 'root');
  outside = join(parent, 'outside');
  await mkdir(root);
  await mkdir(outside);
});
afterEach(() => rm(parent, { recursive: true }));

const tree = (path: string): SourceTree => new Map([[path, textFile('new')]]);

test('files, directories and the executable bit arrive', async () => {
  const files = Array.from(
    { length: 100 },
    (_, i) => [`d${i % 7}/e/f${i}`, textFile(`${i}`, i % 2 === 0)] as const,
  );
  await writeTree(root, new Map(files));
  expect(await readFile(join(root, 'd3/e/f10'), 'utf8')).toBe('10');
  expect((await stat(join(root, 'd3/e/f10'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(root, 'd4/e/f11'))).mode & 0o777).toBe(0o644);
});

test('a file that is there is replaced', async () => {
  await writeTree(root, new Map([['a', textFile('old and longer')]]));
  await writeTree(root, tree('a'));
  expect(await readFile(join(root, 'a'), 'utf8')).toBe('new');
});

test.each(['../x', 'a/../../x', '/x', 'a//x', './x', '', 'a/', 'a\0b'])(
  'the path %j is refused',
  async (path) => {
    await expect(writeTree(root, tree(path))).rejects.toMatchObject({ code: 'sandbox.unsafe_path' });
    expect(await readdir(outside)).toEqual([]);
  },
);

test('a directory that was swapped for a link leads nowhere', async () => {
  await symlink(outside, join(root, 'd'));
  await expect(writeTree(root, tree('d/x'))).rejects.toMatchObject({ code: 'sandbox.unsafe_path' });
  expect(await readdir(outside)).toEqual([]);
});

test('a file that was swapped for a link to the host is replaced and its target untouched', async () => {
  const victim = join(outside, 'victim');
  await writeFile(victim, 'precious');
  await symlink(victim, join(root, 'soft'));
  await link(victim, join(root, 'hard'));
  await writeTree(
    root,
    new Map([
      ['soft', textFile('new')],
      ['hard', textFile('new')],
    ]),
  );
  expect(await readFile(victim, 'utf8')).toBe('precious');
  expect(await readFile(join(root, 'soft'), 'utf8')).toBe('new');
});
