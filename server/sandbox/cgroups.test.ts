import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createJailCgroup, locateOwnCgroups } from './cgroups.ts';
import { INSTANCE_NAME } from './instance-name.ts';

const limits = { memoryMib: 128, tasks: 32, cpuPercent: 50, tmpMib: 16 };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cgroups-'));
});
afterEach(() => rm(root, { recursive: true }));

test('a version 2 group caps memory, swap, tasks and processor time', async () => {
  const parents = new Map([
    ['memory', root],
    ['pids', root],
    ['cpu', root],
  ] as const);
  const group = await createJailCgroup({ version: 2, parents }, 'jail-1', limits);
  const directory = join(root, `${INSTANCE_NAME}-jail-1`);
  const read = (file: string): Promise<string> => readFile(join(directory, file), 'utf8');
  expect(await read('memory.max')).toBe(String(128 * 1024 * 1024));
  expect(await read('memory.swap.max')).toBe('0');
  expect(Number(await read('pids.max'))).toBeGreaterThanOrEqual(32);
  expect(await read('cpu.max')).toBe('50000 100000');
  expect(group.procsFiles).toEqual([join(directory, 'cgroup.procs')]);
  await group.setCpuPercent(200);
  expect(await read('cpu.max')).toBe('200000 100000');
});

test('without controllers a group asks for nothing and limits nothing', async () => {
  const group = await createJailCgroup({ version: 1, parents: new Map() }, 'jail-1', limits);
  await group.setCpuPercent(10);
  expect(group.procsFiles).toEqual([]);
  expect(await group.oomKills()).toBe(0);
  await group.remove();
});

test('own groups are found on a hybrid host, below their own group', () => {
  const own = locateOwnCgroups(
    '8:pids:/\n4:memory:/apps/a b\n1:cpu,cpuacct:/x\n0::/user.slice\n',
    [
      '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
      '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory',
      '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
      '24 1 8:1 / / rw - ext4 /dev/sda rw',
    ].join('\n'),
  );
  expect(own.get('memory')).toBe('/sys/fs/cgroup/memory/apps/a b');
  expect(own.get('pids')).toBe('/sys/fs/cgroup/pids');
  expect(own.get('cpu')).toBe('/sys/fs/cgroup/cpu,cpuacct/x');
  expect(own.get('')).toBe('/sys/fs/cgroup/unified/user.slice');
});

test('own groups are found in a container, whose top is a group of the host', () => {
  const mountinfo = '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory';
  expect(locateOwnCgroups('4:memory:/docker/abc/inner\n', mountinfo).get('memory')).toBe(
    '/sys/fs/cgroup/memory/inner',
  );
  expect(locateOwnCgroups('4:memory:/elsewhere\n', mountinfo).get('memory')).toBe('/sys/fs/cgroup/memory');
});
