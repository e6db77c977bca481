import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textFile } from '../kernel/source-tree.ts';
import { detectHost } from './host.ts';
import { INSTANCE_NAME } from './instance-name.ts';
import type { Jail } from './jail.ts';
import { finish, openTestJail, processesOf, PROGRAMS, startPython, startShell } from './testing.ts';

let jail: Jail;
let groups: string[];
beforeAll(async () => {
  jail = await openTestJail({
    egressNetwork: {
      resolvePublic: (host) => Promise.resolve(host === 'inside.example' ? ['10.0.0.1'] : ['93.184.215.14']),
      resolveAsHost: () => Promise.resolve(['10.0.0.1']),
      connect: () => connect((origin.address() as AddressInfo).port, '127.0.0.1'),
      ownAddresses: () => [],
    },
  });
  groups = [...new Set((await detectHost()).cgroups.parents.values())];
});
afterAll(() => jail.close());

const jailGroups = (): string[] =>
  groups.flatMap((parent) => readdirSync(parent)).filter((name) => name.startsWith(`${INSTANCE_NAME}-jail`));
const runDirectories = (): string[] =>
  readdirSync('/run')
    .filter((name) => name.startsWith(INSTANCE_NAME))
    .flatMap((name) => readdirSync(join('/run', name, 'jails')));

describe('when a jailed process ends', () => {
  test('by kill, no process, control group or directory is left', async () => {
    const process = await startShell(jail, 'sleep 1000 & setsid sleep 1000 & echo up; wait');
    await once(process.stdout, 'data');
    expect(jailGroups()).not.toEqual([]);
    expect(runDirectories()).not.toEqual([]);
    expect(await process.kill()).toEqual({ reason: 'killed', code: null });
    expect([processesOf(process.uid), jailGroups(), runDirectories()]).toEqual([[], [], []]);
  });

  test('by itself, what it left running in the background ends too', async () => {
    const process = await startShell(jail, 'setsid sleep 1000 > /dev/null 2>&1 & exit 3');
    expect(await process.exited).toEqual({ reason: 'exit', code: 3 });
    expect([processesOf(process.uid), jailGroups(), runDirectories()]).toEqual([[], [], []]);
  });

  test('killing it again, or after its end, gives the same answer', async () => {
    const process = await startShell(jail, 'read line <&3');
    const [first, second] = await Promise.all([process.kill(), process.kill()]);
    expect(second).toEqual(first);
    const ended = await startShell(jail, 'exit 4');
    await ended.exited;
    expect(await ended.kill()).toEqual({ reason: 'exit', code: 4 });
  });

  test('killing it at its very start leaves nothing', async () => {
    const ends = await Promise.all(
      Array.from({ length: 8 }, async () => (await startShell(jail, 'sleep 1000')).kill()),
    );
    expect(ends.every(({ reason }) => reason === 'killed')).toBe(true);
    expect([jailGroups(), runDirectories()]).toEqual([[], []]);
  });
});

describe('code', () => {
  test('written after the start appears read-only at /app', async () => {
    const process = await startShell(
      jail,
      'read line <&3; cat /app/lib/a.txt; /app/run; rm -rf /app/lib; echo x > /app/run',
    );
    await process.writeApp(
      new Map([
        ['lib/a.txt', textFile('content\n')],
        ['run', textFile('#!/bin/sh\necho ran\n', true)],
      ]),
    );
    process.control.write('go\n');
    const { stdout, stderr } = await finish(process);
    expect(stdout).toBe('content\nran\n');
    expect(stderr).toMatch(/Read-only file system/);
  });

  test('cannot be written through a path that leads out', async () => {
    const process = await startShell(jail, 'read line <&3');
    const escape = new Map([['../../escape', textFile('x')]]);
    await expect(process.writeApp(escape)).rejects.toMatchObject({ code: 'sandbox.unsafe_path' });
    await process.kill();
  });
});

describe('scratch space', () => {
  test('carries files from one step to the next, under one uid and up to its size', async () => {
    const scratch = await jail.scratch(8);
    await scratch.write(new Map([['in/a.txt', textFile('given')]]), 'source');
    const first = await startShell(
      jail,
      'cat source/in/a.txt; echo made > source/b; head -c 20m /dev/zero > big; true',
      { scratch },
    );
    expect(first.uid).toBe(scratch.uid);
    expect((await finish(first)).stdout).toBe('given');
    expect((await stat(join(scratch.path, 'big'))).size).toBeLessThanOrEqual(8 << 20);
    const second = await finish(startShell(jail, 'cat source/b', { scratch }));
    expect(second.stdout).toBe('made\n');
    await scratch.dispose();
    expect(existsSync(scratch.path)).toBe(false);
  });

  test('written to by the host after hostile code ran follows none of its links', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'victim-'));
    await chmod(directory, 0o755);
    const scratch = await jail.scratch(8);
    await finish(startShell(jail, `ln -s ${directory} out; ln -s ${directory}/x file`, { scratch }));
    await expect(scratch.write(new Map([['out/x', textFile('bad')]]))).rejects.toMatchObject({
      code: 'sandbox.unsafe_path',
    });
    await scratch.write(new Map([['file', textFile('good')]]));
    expect(readdirSync(directory)).toEqual([]);
    expect(await readFile(join(scratch.path, 'file'), 'utf8')).toBe('good');
    await scratch.dispose();
    await rm(directory, { recursive: true });
  });
});

describe('a bind', () => {
  test('of a directory below a closed one is shown, read-only and without what lies around it', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'closed-'));
    await mkdir(join(closed, 'shown'), { mode: 0o755 });
    await writeFile(join(closed, 'shown', 'a'), 'visible');
    await symlink('../secret', join(closed, 'shown', 'link'));
    await writeFile(join(closed, 'secret'), 'secret');
    await chmod(closed, 0o700);
    const binds = [...PROGRAMS, { source: join(closed, 'shown'), target: '/opt/shown' }];
    const { stdout } = await finish(
      startShell(jail, 'cat /opt/shown/a; cat /opt/shown/link; touch /opt/shown/x; ls /opt', { binds }),
    );
    expect(stdout).toBe('visibleshown\n');
    await rm(closed, { recursive: true });
  });

  test('of something that is not there is refused before anything starts', async () => {
    const binds = [{ source: '/no/such/thing', target: '/x' }];
    await expect(startShell(jail, 'true', { binds })).rejects.toMatchObject({ code: 'sandbox.bind_missing' });
    expect(jailGroups()).toEqual([]);
  });
});

let origin: Server;
beforeAll(async () => {
  origin = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
});
afterAll(() => origin.close());

describe('the way out', () => {
  const ask = `
import socket
for target in ["api.example.com:443", "other.example:443", "inside.example:443", "127.0.0.1:443"]:
    s = socket.socket(socket.AF_UNIX); s.connect("/run/fn/egress.sock")
    s.sendall(f"CONNECT {target} HTTP/1.1\\r\\n\\r\\n".encode())
    print(s.recv(99).decode().split("\\r\\n")[0][:12])
`;

  test('leads to the hosts of the policy and nowhere else', async () => {
    const egress = { kind: 'public', hosts: ['api.example.com', 'inside.example'] } as const;
    const { stdout, stderr } = await finish(startPython(jail, ask, { egress }));
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 403',
      'HTTP/1.1 403',
      'HTTP/1.1 403',
    ]);
  });

  test('is open to a build step, which still cannot write beside it', async () => {
    const scratch = await jail.scratch(8);
    const egress = { kind: 'trusted', hosts: ['api.example.com'] } as const;
    const script = `${ask}\ntry: open("/run/fn/x", "w")\nexcept OSError as error: print(type(error).__name__)`;
    const { stdout } = await finish(startPython(jail, script, { egress, scratch }));
    expect(stdout.trim().split('\n')).toEqual([
      'HTTP/1.1 200',
      ...Array<string>(3).fill('HTTP/1.1 403'),
      'OSError',
    ]);
    await scratch.dispose();
  });

  test('does not exist without a policy', async () => {
    const { stderr } = await finish(startPython(jail, ask));
    expect(stderr).toContain('FileNotFoundError');
  });
});
