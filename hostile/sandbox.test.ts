import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** Code that tries to leave its jail: each case is what a hostile author would have uploaded. */
const { url, apiKey, dataDir, pid } = inject('platform');
const owner = createClient(url, apiKey);
let attacker: Deployed;
let neighbour: Neighbour;

async function run(python: string): Promise<unknown> {
  const response = await owner.call(attacker, '', { method: 'POST', body: python });
  expect(response.status).toBe(200);
  return response.json();
}

beforeAll(async () => {
  attacker = await owner.deploy('attacker', fixtureFiles('attacker'));
  neighbour = await moveIn(owner);
});

afterEach(() => neighbour.answers());

/** Name → syscall number (x86_64) and arguments. */
const DENIED: Record<string, string> = {
  mount: '165, b"none", b"/tmp", b"tmpfs", 0, 0',
  umount2: '166, b"/proc", 2',
  pivot_root: '155, b"/tmp", b"/tmp"',
  chroot: '161, b"/tmp"',
  'fsopen (new mount API)': '430, b"tmpfs", 0',
  open_tree: '428, -100, b"/", 1',
  move_mount: '429, -100, b"/", -100, b"/tmp", 0',
  'unshare of a user namespace': '272, 0x10000000',
  'unshare of a mount namespace': '272, 0x20000',
  'clone into a user namespace': '56, 0x10000011, 0, 0, 0, 0',
  setns: '308, 0, 0',
  'ptrace of pid 1': '101, 16, 1, 0, 0',
  process_vm_readv: '310, 1, 0, 0, 0, 0, 0',
  bpf: '321, 0, 0, 0',
  perf_event_open: '298, 0, 0, -1, -1, 0',
  userfaultfd: '323, 1',
  io_uring_setup: '425, 8, ctypes.create_string_buffer(256)',
  keyctl: '250, 0, -3, 1',
  add_key: '248, b"user", b"a", b"b", 1, -3',
  open_by_handle_at: '304, -100, ctypes.create_string_buffer(64), 0',
  init_module: '175, ctypes.create_string_buffer(64), 64, b""',
  kexec_load: '246, 0, 0, 0, 0',
  reboot: '169, 0xfee1dead, 672274793, 0, 0',
  swapon: '167, b"/tmp/x", 0',
  sethostname: '170, b"x", 1',
  settimeofday: '164, ctypes.create_string_buffer(16), 0',
  acct: '163, b"/tmp/a"',
  'setuid to root': '105, 0',
  'setgid to root': '106, 0',
  'an AF_PACKET socket': '41, 17, 3, 0',
  'a raw ICMP socket': '41, 2, 3, 1',
  'an AF_VSOCK socket': '41, 40, 1, 0',
  'an AF_ALG socket': '41, 38, 5, 0',
  pidfd_getfd: '438, 3, 0, 0',
  memfd_secret: '447, 0',
  fanotify_init: '300, 0, 0',
  'mknod of a block device': '133, b"/tmp/disk", 0o60644, 0x800',
};

describe.skipIf(process.arch !== 'x64')('the kernel refuses (syscall numbers are those of x86_64)', () => {
  for (const [name, call] of Object.entries(DENIED)) {
    it(name, async () => {
      expect(await run(`def result(): return syscall(${call})`)).toMatch(
        /^(EPERM|ENOSYS|EACCES|EAFNOSUPPORT|EPROTONOSUPPORT|EINVAL|ESRCH)$/,
      );
    });
  }
});

describe('the file system', () => {
  it('has no host files: no shadow, no data directory, no other home', async () => {
    const paths = [
      '/etc/shadow',
      '/root',
      '/home',
      dataDir,
      `${dataDir}/keys/root.key`,
      '/var',
      '/etc/hostname',
      '/boot',
    ];
    const seen = await run(`def result(): return [p for p in ${JSON.stringify(paths)} if os.path.exists(p)]`);
    expect(seen).toEqual([]);
  });

  it('can be written only in size-capped RAM', async () => {
    const tries = [
      '/',
      '/app',
      '/usr',
      '/usr/lib',
      '/etc',
      '/run',
      '/run/fn',
      '/proc/sys/kernel',
      '/sys',
      '/dev',
      '/layer',
      '/var',
    ];
    const seen = await run(
      `def result(): return [p for p in ${JSON.stringify(tries)} if attempt(lambda: open(p + "/x", "w")) == "ok"]`,
    );
    expect((seen as string[]).filter((path) => path !== '/dev')).toEqual([]);
    for (const place of ['/tmp', '/dev/shm', '/dev']) {
      const filled = await run(`
def result():
    written = 0
    try:
        with open("${place}/fill", "wb") as f:
            while written < 300: written += f.write(b"x" * (1 << 20)) >> 20
    except OSError: pass
    finally:
        attempt(lambda: os.unlink("${place}/fill"))
    return written`);
      expect(filled).toBeLessThanOrEqual(64);
    }
  });

  it('gives setuid programs and device files no power: every mount is nosuid, and nodev but for /dev', async () => {
    const mounts = (await run('def result(): return open("/proc/self/mountinfo").read()')) as string;
    const flags = mounts
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map((fields) => ({ place: fields[4] ?? '', options: (fields[5] ?? '').split(',') }));
    expect(flags.length).toBeGreaterThan(5);
    expect(flags.filter(({ options }) => !options.includes('nosuid'))).toEqual([]);
    expect(
      flags.filter(({ place, options }) => !options.includes('nodev') && !place.startsWith('/dev')),
    ).toEqual([]);
    const devices = (await run('def result(): return sorted(os.listdir("/dev"))')) as string[];
    for (const device of ['mem', 'kmem', 'kmsg', 'port', 'sda', 'vda', 'kvm', 'fuse', 'net'])
      expect(devices).not.toContain(device);
  });

  it('does not follow /proc out of the jail', async () => {
    const seen = await run(`
def result():
    out = []
    for p in os.listdir("/proc"):
        if p.isdigit() and os.path.exists(f"/proc/{p}/root/etc/shadow"): out.append(p)
    return {"escapes": out, "pids": len([p for p in os.listdir("/proc") if p.isdigit()])}`);
    expect(seen).toMatchObject({ escapes: [] });
    expect((seen as { pids: number }).pids).toBeLessThan(10);
  });

  it('lets nobody swap the socket that the gateway talks to', async () => {
    const seen = await run(`
def result():
    return [attempt(lambda: os.unlink("/run/fn/http.sock")), attempt(lambda: os.rename("/run/fn/http.sock", "/run/fn/x")),
            attempt(lambda: os.symlink("/run/docker.sock", "/run/fn/y")), attempt(lambda: os.chmod("/run/fn", 0o777))]`);
    for (const answer of seen as string[]) expect(answer).not.toBe('ok');
  });
});

describe('processes and privileges', () => {
  it('run without capabilities, with no_new_privs and a seccomp filter, under a uid that no host user has', async () => {
    const status = (await run('def result(): return open("/proc/self/status").read()')) as string;
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status).toMatch(new RegExp(`${set}:\\s+0+\\n`));
    expect(status).toMatch(/NoNewPrivs:\s+1/);
    expect(status).toMatch(/Seccomp:\s+2/);
    expect(await run('def result(): return [os.getuid(), os.getgid(), os.getgroups()]')).toEqual([
      65534,
      65534,
      expect.any(Array),
    ]);
  });

  it('see no process of the host and cannot signal one', async () => {
    expect(await run(`def result(): return attempt(lambda: os.kill(${pid}, 0))`)).toBe('ESRCH');
  });

  it('start with an environment that holds nothing of the platform', async () => {
    const seen = (await run('def result(): return dict(os.environ)')) as Record<string, string>;
    expect(
      Object.keys(seen).filter(
        (name) => name.startsWith('JELLYFAAS') || name.includes('CERT') || name.includes('KEY'),
      ),
    ).toEqual([]);
    expect(JSON.stringify(seen)).not.toContain(dataDir);
  });

  it('hold no descriptor of the host', async () => {
    const seen = (await run(`
def result():
    out = []
    for fd in os.listdir("/proc/self/fd"):
        try: out.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError: pass
    return out`)) as string[];
    expect(
      seen.filter(
        (target) => target.startsWith('/') && !/^\/(dev|proc|tmp|run\/fn|app|layer)\b/.test(target),
      ),
    ).toEqual([]);
  });

  it('leave no core file: too small a limit for one, and so small that no dump handler is started', async () => {
    expect(
      await run('import resource\ndef result(): return max(resource.getrlimit(resource.RLIMIT_CORE))'),
    ).toBeLessThanOrEqual(1);
  });
});

describe('the network', () => {
  it('is empty: no route, no name service, no abstract socket of the host', async () => {
    const seen = await run(`
import socket
def dial(host, port):
    s = socket.socket(); s.settimeout(2); s.connect((host, port))
def result():
    abstract = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line]
    return {"tcp": attempt(lambda: dial("192.0.2.1", 80)), "gateway": attempt(lambda: dial("127.0.0.1", ${new URL(url).port})),
            "dns": attempt(lambda: socket.getaddrinfo("example.org", 80)), "abstract": abstract}`);
    expect(seen).toMatchObject({ tcp: 'ENETUNREACH', gateway: 'ECONNREFUSED', abstract: [] });
    expect((seen as { dns: string }).dns).not.toBe('ok');
  });

  it('has no egress socket for a function that names no host', async () => {
    expect(await run('def result(): return os.listdir("/run/fn")')).not.toContain('egress.sock');
  });
});
