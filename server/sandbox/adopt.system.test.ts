import { lstatSync } from 'node:fs';
import { link, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Jail } from './jail.ts';
import { finish, LIMITS, openTestJail, startShell } from './testing.ts';

const FILES = ['data', 'log'];

let jail: Jail;
beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(() => jail.close());

/** Closed to others, as a data directory is; `home/own` is what jails are given. */
let home: string;
let own: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'adopt-'));
  own = join(home, 'own');
  await mkdir(own);
  await writeFile(join(home, 'secret'), 'secret');
});
afterEach(() => rm(home, { recursive: true }));

const ownerOf = (path: string): number => lstatSync(path).uid;

test('a directory of the host is written by one jail, and keeps its files when that is over', async () => {
  await writeFile(join(own, 'data'), 'before');
  const scratch = await jail.adopt(own, FILES);
  const step = await finish(startShell(jail, 'cat data; echo after > data; echo new > log', { scratch }));
  expect(step).toMatchObject({ code: 0, stdout: 'before' });
  await scratch.dispose();
  expect(await readFile(join(own, 'data'), 'utf8')).toBe('after\n');
  expect(await readFile(join(own, 'log'), 'utf8')).toBe('new\n');
});

test('a directory that was adopted belongs to the jail while that lives, and to the server afterwards', async () => {
  await writeFile(join(own, 'data'), '');
  const before = ownerOf(own);
  const scratch = await jail.adopt(own, FILES);
  expect([ownerOf(own), ownerOf(join(own, 'data'))]).toEqual([scratch.uid, scratch.uid]);
  await scratch.dispose();
  expect([ownerOf(own), ownerOf(join(own, 'data'))]).toEqual([before, before]);
  expect((await stat(own)).mode & 0o777).toBe(0o700);
});

test('another jail does not reach what one has adopted', async () => {
  await writeFile(join(own, 'data'), 'mine');
  const scratch = await jail.adopt(own, FILES);
  const { stdout } = await finish(startShell(jail, `cat ${scratch.path}/data ${own}/data /work/data`));
  expect(stdout).toBe('');
  await scratch.dispose();
});

test('nothing but the named regular files stays of what a jail left', async () => {
  const scratch = await jail.adopt(own, FILES);
  const script =
    'echo x > data; ln -s /etc/passwd log; mkdir -p a/b; echo y > a/b/c; mkfifo pipe; ln data twin';
  await finish(startShell(jail, script, { scratch }));
  await scratch.dispose();
  expect(await readdir(own)).toEqual([]);
});

test('links planted by a jail change the owner of nothing else', async () => {
  const scratch = await jail.adopt(own, FILES);
  await finish(startShell(jail, `ln -s ${join(home, 'secret')} data; ln -s ${home} log`, { scratch }));
  const before = ownerOf(join(home, 'secret'));
  await scratch.dispose();
  expect(ownerOf(join(home, 'secret'))).toBe(before);
  expect(await readFile(join(home, 'secret'), 'utf8')).toBe('secret');
});

test('a directory that a crashed server left to a jail is adopted again, without what was planted in it', async () => {
  await writeFile(join(own, 'data'), 'kept');
  await jail.adopt(own, FILES);
  await symlink(join(home, 'secret'), join(own, 'log'));
  await link(join(home, 'secret'), join(own, 'hard'));
  const scratch = await jail.adopt(own, FILES);
  expect(await finish(startShell(jail, 'ls; cat data', { scratch }))).toMatchObject({ stdout: 'data\nkept' });
  await scratch.dispose();
});

test('a file in an adopted directory grows to its limit and no further', async () => {
  const scratch = await jail.adopt(own, FILES);
  const limits = { ...LIMITS, fileMib: 2 };
  await finish(startShell(jail, 'head -c 5m /dev/zero > data', { scratch, limits }));
  await scratch.dispose();
  expect((await stat(join(own, 'data'))).size).toBe(2 << 20);
});

test('a link or a file is not adopted in place of a directory', async () => {
  await symlink(home, join(home, 'link'));
  for (const name of ['link', 'secret', 'missing']) {
    await expect(jail.adopt(join(home, name), FILES)).rejects.toMatchObject({ code: 'sandbox.bind_missing' });
  }
});
