import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import type { Jail, JailSpec } from './jail.ts';
import {
  type Ended,
  finish,
  LIMITS,
  openTestJail,
  processesOf,
  PROGRAMS,
  startPython,
  startShell,
} from './testing.ts';

const FIXTURES = { source: fileURLToPath(new URL('fixtures', import.meta.url)), target: '/fixtures' };

let jail: Jail;
beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(() => jail.close());

const shell = (script: string, more?: Partial<JailSpec>): Promise<Ended> =>
  finish(startShell(jail, script, more));
const python = (script: string, more?: Partial<JailSpec>): Promise<Ended> =>
  finish(startPython(jail, script, more));

describe('a jailed process', () => {
  test('has a host uid that no other live jail has, and is nobody inside', async () => {
    const jails = await Promise.all([1, 2, 3].map(() => startShell(jail, 'id -u; read line <&3')));
    expect(new Set(jails.map(({ uid }) => uid)).size).toBe(3);
    const inside = await Promise.all(
      jails.map(
        ({ stdout }) => new Promise((resolve) => stdout.once('data', (line) => resolve(String(line)))),
      ),
    );
    expect(inside).toEqual(['65534\n', '65534\n', '65534\n']);
    for (const { uid, pid } of jails) {
      expect(uid).toBeGreaterThanOrEqual(210_000);
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).not.toMatch(/^Uid:\s+0/m);
    }
    await Promise.all(jails.map((one) => one.kill()));
  });

  test('has no capabilities, cannot gain privileges and is filtered, its reaper too', async () => {
    const { stdout } = await shell('cat /proc/self/status /proc/1/status');
    const values = [...stdout.matchAll(/^(Cap\w+|NoNewPrivs|Seccomp):\s+(\w+)$/gm)].map(
      ([, name, value]) => `${name} ${value}`,
    );
    const expected = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(
      (name) => `${name} 0000000000000000`,
    );
    expect(values).toEqual([
      ...expected,
      'NoNewPrivs 1',
      'Seccomp 2',
      ...expected,
      'NoNewPrivs 1',
      'Seccomp 2',
    ]);
  });

  test('sees its own processes only', async () => {
    const { stdout } = await shell('ls /proc');
    const pids = stdout.split('\n').filter((name) => /^\d+$/.test(name));
    expect(pids.length).toBeLessThanOrEqual(3);
    expect(pids.map(Number).every((pid) => pid < 10)).toBe(true);
  });

  test('has the environment it was given and nothing of ours', async () => {
    const { stdout } = await shell('env; tr "\\0" "\\n" < /proc/1/environ', { env: { GREETING: 'hello' } });
    const names = new Set(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('=')[0]),
    );
    expect(names).toEqual(new Set(['GREETING', 'HOME', 'PATH', 'PWD']));
  });

  test('shows neither its environment nor its binds in the process list of the host', async () => {
    const process = await startShell(jail, 'read line <&3', { env: { SECRET: 'canary-in-env' } });
    const commandLine = readFileSync(`/proc/${process.pid}/cmdline`, 'latin1');
    await process.kill();
    expect(commandLine).not.toContain('canary-in-env');
    expect(commandLine).not.toContain('ro-bind');
  });

  test('has standard streams and the control socket open, and nothing else', async () => {
    const { stdout } = await python('import os; print(sorted(set(os.listdir("/proc/self/fd"))))');
    const inherited = inheritedDescriptors().map(String);
    const own = [...stdout.matchAll(/'(\d+)'/g)]
      .map(([, fd]) => fd ?? '')
      .filter((fd) => !inherited.includes(fd));
    // The last one is the directory listing itself.
    expect(own).toEqual(['0', '1', '2', '3', '4']);
  });

  test('talks with the host over descriptor 3', async () => {
    const talking = await startPython(
      jail,
      'import socket; s = socket.socket(fileno=3); s.sendall(s.recv(99).upper())',
    );
    talking.control.write('hello');
    const answer = await new Promise((resolve) => talking.control.once('data', resolve));
    expect(String(answer)).toBe('HELLO');
    expect(await talking.exited).toEqual({ reason: 'exit', code: 0 });
  });

  test('has a host name, users and name service of its own', async () => {
    const { stdout } = await shell('hostname; id; cat /etc/passwd /etc/hosts; ls /etc /');
    expect(stdout).toMatch(/^fn\nuid=65534\(nobody\)/);
    expect(stdout).not.toContain('root');
    expect(stdout).not.toMatch(/^(home|var|sys|mnt|opt|srv)$/m);
  });

  test('has no network but its own loopback', async () => {
    const { stdout } = await python(`
import socket
for target in [("1.1.1.1", 443), ("169.254.169.254", 80), ("127.0.0.1", 22)]:
    try: socket.create_connection(target, 2); print("connected")
    except OSError as error: print(type(error).__name__)
try: socket.getaddrinfo("example.com", 443); print("resolved")
except OSError as error: print("no names")
print(open("/proc/net/dev").read().count(":"))
`);
    expect(stdout).not.toContain('connected');
    expect(stdout).not.toContain('resolved');
    expect(stdout.trim().split('\n').at(-1)).toBe('1');
  });

  test('cannot reach the abstract sockets of the host', async () => {
    const { stdout } = await shell('cat /proc/net/unix');
    expect(stdout).not.toContain('@');
  });

  test('writes nowhere but in its temporary directories', async () => {
    const { stdout } = await shell(
      'for d in / /app /bin /dev /etc /lib /proc /run /run/fn /tmp /dev/shm /usr /usr/lib /usr/bin /sys; do touch $d/x 2>/dev/null && echo $d; done; true',
    );
    // /run/fn belongs to trusted guest code until the socket is sealed.
    expect(stdout.trim().split('\n')).toEqual(['/run/fn', '/tmp', '/dev/shm']);
  });

  test('cannot make anything writable again', async () => {
    const { stdout, code } = await shell(
      'mount -o remount,rw / ; chmod 777 /app /usr; mv /app /b; ln -s / /app/x; true',
    );
    expect([stdout, code]).toEqual(['', 0]);
  });
});

describe('forbidden system calls', () => {
  test('are refused one and all', async () => {
    const argv = ['/usr/bin/python3', '/fixtures/attempts.py'];
    const { stdout, stderr } = await shell('', { argv, binds: [...PROGRAMS, FIXTURES] });
    expect(stderr).toBe('');
    const results = JSON.parse(stdout) as Record<string, string>;
    expect(Object.keys(results).length).toBeGreaterThan(50);
    const allowed = Object.entries(results).filter(([, result]) => result === 'allowed');
    expect(allowed).toEqual([]);
    expect(results['clone3']).toBe('ENOSYS');
    expect(results['an unassigned call']).toBe('ENOSYS');
    const expected = new Set(['EPERM', 'ENOSYS', 'EAFNOSUPPORT', 'EACCES', 'ENOENT', 'EINVAL', 'EROFS']);
    for (const [name, result] of Object.entries(results))
      expect([name, expected.has(result)]).toEqual([name, true]);
  });

  test('of a foreign machine end the process', async () => {
    // mov eax, 20 (getpid on i386); int 0x80
    const { reason, code } = await python(`
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
ctypes.CFUNCTYPE(ctypes.c_int)(address)()
`);
    expect({ reason, code }).toEqual({ reason: 'signal', code: 128 + 31 });
  });

  test('leave threads, children and ordinary sockets alone', async () => {
    const { stdout } = await python(`
import threading, subprocess, socket, os
t = threading.Thread(target=lambda: print("thread", flush=True)); t.start(); t.join()
print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout.strip())
a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))
server = socket.create_server(("127.0.0.1", 0)); socket.create_connection(server.getsockname()); print("loopback")
print([name for _, name in socket.if_nameindex()])
`);
    expect(stdout).toBe("thread\nchild\nb'x'\nloopback\n['lo']\n");
  });
});

describe('limits', () => {
  test('/tmp and /dev/shm are full at their size', async () => {
    const { stdout } = await shell(
      'for d in /tmp /dev/shm; do head -c 80m /dev/zero > $d/x; stat -c %s $d/x; done',
      {
        limits: { ...LIMITS, memoryMib: 512 },
      },
    );
    expect(stdout.trim().split('\n').map(Number)).toEqual([16 * 1024 * 1024, 64 * 1024 * 1024]);
  });

  test('RAM files count as memory', async () => {
    const { reason } = await shell('cat /dev/zero > /dev/shm/x', { limits: { ...LIMITS, memoryMib: 32 } });
    expect(reason).toBe('oom');
  });

  test('a process that takes too much memory ends as oom, and its neighbour lives', async () => {
    const neighbour = await startShell(jail, 'read line <&3; echo alive');
    const { reason } = await python('x = bytearray(400 << 20)');
    expect(reason).toBe('oom');
    neighbour.control.destroy();
    expect((await finish(neighbour)).stdout).toBe('alive\n');
  });

  test('millions of empty files count as memory', async () => {
    const { reason } = await python(
      'import os\nfor i in range(10**7): os.close(os.open(f"/tmp/{i}", os.O_CREAT))',
      {
        limits: { ...LIMITS, memoryMib: 32 },
      },
    );
    expect(reason).not.toBe('killed');
  });

  test('a fork bomb stays within the task limit and ends with the jail', async () => {
    const bomb = await startPython(
      jail,
      'import os, time\nwhile True:\n  try: os.fork()\n  except OSError: print("full", flush=True); time.sleep(60)',
    );
    await new Promise((resolve) => bomb.stdout.once('data', resolve));
    expect(processesOf(bomb.uid).length).toBeLessThanOrEqual(LIMITS.tasks + 3);
    expect(await bomb.kill()).toEqual({ reason: 'killed', code: null });
    expect(processesOf(bomb.uid)).toEqual([]);
  });

  test('processor time is rationed', async () => {
    const spin =
      'import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())';
    const { stdout } = await python(spin, { limits: { ...LIMITS, cpuPercent: 20 } });
    expect(Number(stdout)).toBeLessThan(0.5);
  });

  test('a crash writes no core file', async () => {
    const { stdout, reason } = await shell(
      'cd /tmp; sh -c "kill -SEGV \\$\\$"; ls -a /tmp; grep core /proc/self/limits; kill -SEGV $$',
    );
    expect(stdout).not.toMatch(/^core/m);
    expect(stdout).toMatch(/Max core file size\s+[01]\s+[01]\s/);
    expect(reason).toBe('signal');
  });
});
